"""An app of the project's own that has the label ``tokens``, and a model named ``Session``."""
