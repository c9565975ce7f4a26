"""The cases of ``tests/tokens/sessions`` once more, through the verbs for async code."""
