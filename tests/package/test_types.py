"""A project that installs the wheel has the types of the app."""

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

from tests.package.conftest import Environment

# What mypy has to say about each line; an empty text is nothing.
LINES = {
    "from tokens import sessions": "",
    "from tokens.errors import TokenError": "",
    "from tokens.models import EndReason": "",
    "from tokens.sessions import TokenPair": "",
    "def sign_in(user: object) -> TokenPair: return sessions.start(user)": "",
    "def refresh(raw: str) -> str: return str(sessions.refresh(raw).raw_refresh)": "",
    "def wrong_result(user: object) -> int: return sessions.start(user)": "TokenPair",
    "def wrong_type() -> object: return sessions.refresh(7)": 'incompatible type "int"',
    "def wrong_name(user: object) -> object: return sessions.begin(user)": "begin",
    "def wrong_reason(user: object) -> int: return sessions.end_all(user, reason='left')": "reason",
}

# The types of Django itself are those of django-stubs.
LINES_WITH_STUBS = {
    **LINES,
    "def end(user: object) -> int: return sessions.end_all(user, reason=EndReason.REVOKED)": "",
}


def test_mypy_in_another_project_sees_the_types(environment: Environment, tmp_path: Path) -> None:
    assert_mypy_says(LINES, tmp_path, environment.python)


def test_mypy_beside_django_stubs_sees_the_types(environment: Environment, tmp_path: Path) -> None:
    """In an environment with the wheel and the packages of this one, of which some are stubs."""
    both = tmp_path / "both"
    venv.create(both)
    (folder,) = both.glob("lib/python*/site-packages")
    (wheels,) = environment.python.parents[1].glob("lib/python*/site-packages")
    (folder / "others.pth").write_text(f"{wheels}\n{sysconfig.get_path('purelib')}\n")
    assert_mypy_says(LINES_WITH_STUBS, tmp_path, both / "bin/python")


def assert_mypy_says(lines: Mapping[str, str], folder: Path, python: Path) -> None:
    (folder / "own.py").write_text("\n".join(lines) + "\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"),
            *(f"--cache-dir={folder}", f"--python-executable={python}", "own.py"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    said = dict.fromkeys(range(1, len(lines) + 1), "")
    for line in done.stdout.splitlines():
        if line.startswith("own.py:"):
            said[int(line.split(":")[1])] += line
    found = dict(zip(lines, said.values(), strict=True))
    for line, expected in lines.items():
        assert bool(found[line]) == bool(expected), (line, done.stdout, done.stderr)
        assert expected in found[line]
