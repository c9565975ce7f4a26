"""While the disk is full under SQLite, reading requests succeed and writing requests get a 503."""

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.conftest import assert_unavailable, set_up, sign_in
from tests.support.processes import running_site

pytestmark = pytest.mark.slow


def test_while_the_disk_is_full_calls_go_on_and_nothing_is_half_written(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    set_up(f"sqlite:///{database}")
    with running_site(workers=1, DATABASE_URL=f"sqlite:///{database}") as site:
        ada, revoked = sign_in(site), sign_in(site)
        assert site.post("/api/token/revoke/", token=revoked.refresh)[0] == 200
        (worker,) = site.workers()
        # No file of that process can grow past one byte, which SQLite treats as a full disk.
        former = resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        assert ada.calls() == 200
        assert revoked.calls() == 401
        for path, body in (
            ("/api/token/refresh/", {"refresh": ada.refresh}),
            ("/api/token/revoke/", {"token": ada.refresh}),
            ("/api/logout/", {"refresh": ada.refresh}),
        ):
            assert_unavailable(site.ask(path, body=body))
        resource.prlimit(worker, resource.RLIMIT_FSIZE, former)
        assert ada.refreshes() == 200
        assert ada.calls() == 200
        assert revoked.calls() == 401
    with closing(sqlite3.connect(database)) as connection, connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
