"""
``python -m tests.attacks`` prints docs/attacks.md: every attack that is tried, and its source.

A test checks that the page is up to date.
"""

import importlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

HEAD = """# Attacks that are tried

Each attack is sent over HTTP to a running site: gunicorn with several worker processes, on SQLite
and on PostgreSQL. Each must be refused in JSON with a 4xx, change no row, and leave the sessions of
honest users as they were. `make test ARGS=tests/attacks` runs the attacks; `python -m tests.attacks`
prints this page. [Security](security.md) lists the attackers, the defences and what is left to you.
"""


def modules() -> Iterator[ModuleType]:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        yield importlib.import_module(f"{__package__}.{path.stem}")


def attacks_of(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the name and the source of each attack in a module, in the order of the file."""
    for attack in getattr(module, "ATTACKS", ()):
        yield attack.name, attack.source
    for name, test in vars(module).items():
        if name.startswith("test_") and (source := getattr(test, "source", "")):
            sentence = name.removeprefix("test_").replace("_", " ")
            yield sentence, source
            for variant, own_source in test.each.items():
                yield f"… {variant}", own_source or source


def page() -> str:
    lines = [HEAD]
    for module in modules():
        rows = [f"| {_cell(name)} | {source} |" for name, source in attacks_of(module)]
        if not rows:
            continue
        title = (module.__doc__ or "").strip().splitlines()[0].rstrip(".")
        lines += [f"## {title}", "", "| attack | source |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    # Markdown must not interpret anything in the name of an attack.
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", text)


if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    print(page(), end="")  # noqa: T201
