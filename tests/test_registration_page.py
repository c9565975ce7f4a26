"""The projects of docs/registration.md work as they stand there."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.processes import ROOT, run_project

# Their databases are SQLite's, whatever that of the tests is.
pytestmark = pytest.mark.projects

PAGE = (ROOT / "docs/registration.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(?:# (\w+\.py)\n)?(.*?)^```", re.M | re.S)


def blocks_of(package: str) -> tuple[dict[str, str], str]:
    """Return the files of the part about ``package`` by their names, and its requests."""
    _, part = PAGE.split(f"## With {package}\n")
    files, steps = {}, ""
    for language, name, text in BLOCK.findall(part.split("\n## ")[0]):
        if language == "python":
            files[name] = text
        else:
            steps += text
    return files, steps


@pytest.mark.parametrize("package", ["django-allauth", "djoser"])
def test_a_user_registers_and_resets_the_password(package: str, tmp_path: Path) -> None:
    files, steps = blocks_of(package)
    assert {"settings.py", "urls.py"} <= files.keys()
    assert len(steps.splitlines()) > 10
    project = tmp_path / "project"
    shutil.copytree(
        ROOT / "tests/projects/registration", project, ignore=shutil.ignore_patterns("__pycache__")
    )
    for name, text in files.items():
        with (project / name).open("a") as file:
            file.write(text)
    (project / "__main__.py").write_text(
        "import django\n\n"
        "django.setup()\n\n"
        "from tests.projects.registration import steps\n\n"
        f"steps.run({steps!r})\n"
        'print("agreed")\n'
    )
    done = run_project("project", PYTHONPATH=str(tmp_path))
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
