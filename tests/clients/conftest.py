"""Both packages, built and installed into empty projects, and a site whose tokens they verify."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port
from tests.support.processes import PATIENCE, ROOT, Site, manage, site_under

CLIENTS = ROOT / "clients"
PASSWORD = "correct horse battery staple"
CREATE_BOB = (
    "from django.contrib.auth import get_user_model as model\n"
    f"model().objects.create_user('bob', password={PASSWORD!r})"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.package)


def run(*words: str | Path, cwd: Path) -> str:
    """Return what the command prints; fail with all of it if the command fails."""
    command = list(map(str, words))
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def example(client: str, name: str) -> str:
    """Return the example of the README whose first line names this file."""
    text = (CLIENTS / client / "README.md").read_text()
    found = re.findall(rf"^```\w+\n(?:#|//) {re.escape(name)}\n(.*?)^```$", text, re.M | re.S)
    assert len(found) == 1, name
    return str(found[0])


@pytest.fixture(scope="session", params=["uvicorn", "gunicorn"])
def authority(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Site]:
    """Run a site with a feed, with the user bob."""
    url = f"sqlite:///{tmp_path_factory.mktemp('authority')}/db.sqlite3"
    changes = {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.reach.settings",
        "FEED_READERS": "everybody",
        "WEB_CONCURRENCY": "2",
    }
    for words in (("migrate", "-v0"), ("shell", "-v0", "-c", CREATE_BOB)):
        done = manage(*words, **changes)
        assert done.returncode == 0, done.stderr
    with site_under(request.param, changes) as site:
        yield site


@pytest.fixture(scope="session")
def python_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty project with the wheel, Flask, FastAPI and their servers."""
    folder = tmp_path_factory.mktemp("python")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    run(*build, CLIENTS / "python", cwd=ROOT)
    (wheel,), (_,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    venv.create(folder / ".venv", with_pip=True)
    python = folder / ".venv/bin/python"
    run(python, "-m", "pip", "install", "-q", wheel, cwd=folder)
    listed = json.loads(run(python, "-m", "pip", "list", "--format=json", cwd=folder))
    names = {each["name"].lower() for each in listed} - {"pip", "setuptools"}
    assert names == {"latchkey-verify", "pyjwt", "cryptography", "cffi", "pycparser"}
    servers = ("flask", "fastapi", "uvicorn", "gunicorn", "mypy")
    run(python, "-m", "pip", "install", "-q", *servers, cwd=folder)
    return folder


@pytest.fixture(scope="session")
def node_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty project with the package, Express and Fastify."""
    folder = tmp_path_factory.mktemp("node")
    assert shutil.which("npm"), "npm is not installed. On Debian: apt install npm"
    run("npm", "pack", CLIENTS / "node", "--silent", cwd=folder)
    (package,) = folder.glob("*.tgz")
    install = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
    run("npm", "init", "-y", cwd=folder)
    run(*install, f"./{package.name}", cwd=folder)
    installed = {each.name for each in (folder / "node_modules").glob("[!.]*")}
    assert installed == {"latchkey-verify", "jose"}
    run(*install, "express", "fastify", "typescript", "@types/express", "@types/node", cwd=folder)
    return folder


@contextmanager
def serving(command: list[str], cwd: Path, authority: Site) -> Iterator[Site]:
    """Run the service until the block ends, with its port and the authority in its environment."""
    port = free_port()
    command = [word.replace("PORT", str(port)) for word in command]
    environment = {**os.environ, "PORT": str(port), "LATCHKEY": authority.base}
    process = subprocess.Popen(command, cwd=cwd, env=environment)
    try:
        yield Site(port)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
