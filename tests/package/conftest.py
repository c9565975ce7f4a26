"""The wheel, built once, and an empty environment into which it is installed once."""

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.package.page import ROOT, commands

LIST = (
    "import json; from importlib.metadata import distributions; "
    "print(json.dumps({each.name: each.version for each in distributions()}))"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.package)


def run(*words: str | Path, cwd: Path = ROOT, **changes: str) -> str:
    """Return what the command prints; fail with all of it if the command fails."""
    done = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={**os.environ, **changes},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@dataclass(frozen=True)
class Distribution:
    wheel: Path
    source: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel and what it requires."""

    python: Path

    def installed(self) -> dict[str, str]:
        """Return the versions of the distributions, except for those that an empty one has."""
        listed = json.loads(run(self.python, "-c", LIST))
        return {
            name.lower(): version
            for name, version in listed.items()
            if name not in {"pip", "setuptools", "wheel"}
        }


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Distribution(wheel, source)


@pytest.fixture(scope="session")
def environment(
    distribution: Distribution, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    made = Environment(folder / "bin/python")
    assert made.installed() == {}
    (command,) = commands()
    assert command == "pip install django-latchkey"
    # The wheel in the place of a release of that name.
    run(made.python, "-m", "pip", "install", "-q", distribution.wheel)
    return made
