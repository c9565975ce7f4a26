"""Run the story with the app at another dotted path, where ``tokens`` cannot be imported."""

import sys

# The app can be imported from the tests' folder. Block that, so that an absolute import fails.
sys.modules["tokens"] = None  # type: ignore[assignment]  # This is how Python bars an import.

import django  # noqa: E402

django.setup()

from tests.projects import story  # noqa: E402


def main() -> None:
    story.run(label="tokens")
    assert [name for name in sys.modules if name.startswith("tokens.")] == []
    print("agreed")  # noqa: T201


main()
