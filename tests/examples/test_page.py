"""The code of the page is whole: it compiles, it is formatted, and Django's checks have no complaint."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.page import files, write_project
from tests.examples.serving import PATIENCE, project_environment

pytestmark = pytest.mark.slow


def test_the_page_has_every_file_that_it_names() -> None:
    written = files()
    assert {Path(name).suffix for name in written} == {".py", ".js", ".html"}
    text = "".join(written.values())
    for name in written:
        module = Path(name)
        if module.suffix == ".py" and module.parent.name == "live":
            assert f"from live.{module.stem} import" in text
        elif module.suffix != ".py":
            assert module.name in text


def test_the_python_of_the_page_is_formatted(tmp_path: Path) -> None:
    paths = []
    for name, text in files().items():
        if name.endswith(".py"):
            paths.append(tmp_path / name.replace("/", "_"))
            paths[-1].write_text(text)
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "100", "--diff"]
    done = subprocess.run(
        [*ruff, *map(str, paths)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_scripts_of_the_page_are_modules_without_errors(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed.")
    for name, text in files().items():
        if name.endswith(".js"):
            path = tmp_path / f"{Path(name).stem}.mjs"
            path.write_text(text)
            subprocess.run(["node", "--check", str(path)], timeout=PATIENCE, check=True)


def test_the_checks_of_the_project_are_silent(db: None, tmp_path: Path) -> None:
    pytest.importorskip("channels")
    write_project(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--fail-level", "INFO"],
        cwd=tmp_path,
        env=project_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues" in done.stdout
