"""The tests of this folder pass without Channels, and without each package that can be deleted."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import PATIENCE, ROOT, environment

pytestmark = pytest.mark.projects

HERE = "tests/asgi"
IN_MEMORY = [HERE, f"--ignore={HERE}/test_servers.py", f"--ignore={HERE}/{Path(__file__).name}"]
ONE_SERVER = [f"{HERE}/test_servers.py", "-k", "uvicorn and each_credential"]
# Python runs it at the start of each process, also of the servers that the tests start.
BLOCK = "import sys; sys.modules['channels'] = None"


def run(*words: str, folder: Path, **changes: str) -> str:
    """Run pytest in another process, and return what it printed. It must have passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *words]
    # A database of its own.
    env = environment(DATABASE_URL="sqlite:///unused.sqlite3", CACHE_URL="", **changes)
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* passed", done.stdout), done.stdout
    return done.stdout


def copy_without(package: str, folder: Path) -> None:
    """Copy the project, and delete a package of the app as a project does that does not need it."""
    for name in ("accounts", "config", "tests", "tokens"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.rmtree(folder / "tokens" / package)
    for path in (folder / "config").glob("*.py"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if f"tokens.{package}" not in line))


def test_the_tests_pass_without_channels(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCK)
    code = "import channels"
    blocked = environment(PYTHONPATH=str(tmp_path))
    imported = subprocess.run(
        [sys.executable, "-c", code],
        env=blocked,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert b"ModuleNotFoundError" in imported.stderr
    run(*ONE_SERVER, folder=ROOT, PYTHONPATH=str(tmp_path))
    run(*IN_MEMORY, folder=ROOT, PYTHONPATH=str(tmp_path))


@pytest.mark.parametrize("package", ["connections", "tickets"])
def test_the_tests_pass_without_a_package(package: str, tmp_path: Path) -> None:
    copy_without(package, tmp_path)
    printed = run(*IN_MEMORY, folder=tmp_path)
    assert "The package was deleted." in printed
