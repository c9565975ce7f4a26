"""The code blocks of docs/installing.md, by their first line."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/installing.md"


def blocks() -> dict[str, str]:
    """Return each block of Python whose first line is a comment with the name of a file."""
    found = re.findall(r"^```python\n# (\S+\.py[^\n]*)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    named = dict(found)
    assert len(named) == len(found), "Two blocks of the page have the same first line."
    return named


def block(name: str) -> str:
    return blocks()[name]


def commands() -> list[str]:
    """Return the lines of the first block for a shell."""
    found = re.search(r"^```console\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    assert found
    return found[1].splitlines()
