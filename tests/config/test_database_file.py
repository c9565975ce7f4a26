"""Nobody but its owner can read the SQLite database, whichever process makes it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.database_file import OwnersConnection, create_file
from tests.support.processes import PATIENCE, ROOT

pytestmark = pytest.mark.projects

# Under WSGI, ASGI and in a shell, the first query makes the file. Its connection stays open, so
# that -wal and -shm are there.
OPENERS = {
    "wsgi": "import config.wsgi",
    "asgi": "import config.asgi",
    "shell": "import django; django.setup()",
}
QUERY = """
from django.db import connection
connection.cursor().execute("CREATE TABLE kept (id)")
print(*sorted(f"{path.name} {path.stat().st_mode & 0o777:o}" for path in FOLDER.iterdir()))
"""


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    """Give this process, and those that it starts, the umask of most systems."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_migrate_makes_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    python(tmp_path, "manage.py", "migrate")
    assert mode_of(tmp_path / "db.sqlite3") == 0o600


@pytest.mark.parametrize("opener", OPENERS)
def test_the_files_are_readable_to_their_owner_only_whichever_process_creates_them(
    tmp_path: Path, opener: str
) -> None:
    code = f"from pathlib import Path\nFOLDER = Path({str(tmp_path)!r})\n{OPENERS[opener]}{QUERY}"
    done = python(tmp_path, "-c", code)
    assert done.stdout == "db.sqlite3 600 db.sqlite3-shm 600 db.sqlite3-wal 600\n"


def test_an_existing_file_keeps_its_mode_and_check_deploy_warns(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    path.touch(0o644)
    assert "tokens.W024" in python(tmp_path, "manage.py", "check", "--deploy").stderr
    assert mode_of(path) == 0o644
    path.chmod(0o640)
    assert "tokens.W024" not in python(tmp_path, "manage.py", "check", "--deploy").stderr
    assert mode_of(path) == 0o640


def test_the_target_of_a_link_is_made(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    OwnersConnection(tmp_path / "link").close()
    assert mode_of(tmp_path / "target") == 0o600


@pytest.mark.parametrize("name", ["", ":memory:", "file:memory?mode=memory&cache=shared"])
def test_a_database_in_memory_has_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    OwnersConnection(name, uri=True).close()
    assert list(tmp_path.iterdir()) == []


def test_sqlite_reports_what_is_wrong_with_the_folder(tmp_path: Path) -> None:
    create_file(str(tmp_path / "missing" / "db.sqlite3"))
    assert list(tmp_path.iterdir()) == []
