"""The code blocks of docs/examples.md, and the project that they make."""

import re
import shutil
from pathlib import Path

from tests.support.processes import ROOT

PAGE = ROOT / "docs/examples.md"
# The first line of a block is a comment with the name of its file.
BLOCK = re.compile(
    r"^```(?:python|js|html)\n(?:#|//|<!--) ([\w/]+\.\w+)(?: -->)?\n(.*?)^```$", re.M | re.S
)


def files() -> dict[str, str]:
    """Return the content of each file: that of its blocks, one after the other."""
    page = PAGE.read_text()
    found = BLOCK.findall(page)
    assert len(found) * 2 == len(re.findall(r"^```", page, re.M)), "A block names no file."
    content: dict[str, str] = {}
    for name, text in found:
        content[name] = content.get(name, "") + text
    return content


def write_project(folder: Path) -> None:
    """Write the project of the page into this folder, which is then the path of its packages."""
    base = Path(__file__).parent / "project"
    shutil.copytree(base, folder / "project", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(text)
