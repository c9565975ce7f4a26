"""Run the story with the app at another dotted path, where ``tokens`` cannot be imported."""

import sys

# The tests' folder is on the path, and with it the app: an absolute import fails all the same.
sys.modules["tokens"] = None  # type: ignore[assignment]  # This is how Python bars an import.

import django  # noqa: E402

django.setup()

from tests.projects import story  # noqa: E402


def main() -> None:
    story.run(label="tokens")
    assert [name for name in sys.modules if name.startswith("tokens.")] == []
    print("agreed")  # noqa: T201


main()
