"""A backup is restored while the site runs: what is revoked afterwards is refused in time."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import PASSWORD, eventually, set_up
from tests.support.crowds import (
    SNAPSHOT_SETTINGS,
    Member,
    all_accepted,
    gather,
    let_in,
    revoke_here,
    wait_for_the_bound,
)
from tests.support.processes import RunningSite, manage, running_site
from tests.support.revoker import own_revoker
from tests.support.servers import own_postgres, url_of

pytestmark = pytest.mark.services


def restore_into(database: Path, backup: Path) -> None:
    """Restore as ``sqlite3 db.sqlite3 ".restore backup"`` does."""
    with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(database)) as target:
        source.backup(target)


@contextmanager
def snapshot_site(database_url: str) -> Iterator[RunningSite]:
    settings = {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": SNAPSHOT_SETTINGS}
    with running_site(workers=2, **settings) as site:
        yield site


def assert_later_ones_are_refused(site: RunningSite, url: str, later: list[Member]) -> None:
    """Revoke at first fewer sessions than the backup lacks, and then more."""
    few = len(later) // 4
    with own_revoker(url) as revoker:
        for members in (later[:few], later[few:]):
            revoker.end(members)
            wait_for_the_bound()
            assert let_in(site, members) == 0


def test_after_a_restored_file_what_is_revoked_is_refused(tmp_path: Path) -> None:
    database, backup = tmp_path / "db.sqlite3", tmp_path / "backup.sqlite3"
    url = f"sqlite:///{database}"
    set_up(url)
    with snapshot_site(url) as site:
        crowd = gather(site, ["ada"], PASSWORD, count=70)
        kept, lost, later, good = crowd[:5], crowd[5:25], crowd[25:65], crowd[65:]
        revoke_here(site, kept)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("VACUUM INTO ?", [str(backup)])
        revoke_here(site, lost)
        wait_for_the_bound()
        assert let_in(site, kept + lost) == 0
        restore_into(database, backup)
        # The database is the truth, and it does not know that these sessions have ended.
        eventually(lambda: all_accepted(site, lost + good))
        assert_later_ones_are_refused(site, url, later)
        assert let_in(site, kept) == 0
        assert all_accepted(site, good)


def test_after_a_restored_file_everything_is_refused_that_revoke_tokens_all_ends(
    tmp_path: Path,
) -> None:
    database, backup = tmp_path / "db.sqlite3", tmp_path / "backup.sqlite3"
    url = f"sqlite:///{database}"
    set_up(url)
    with snapshot_site(url) as site:
        crowd = gather(site, ["ada"], PASSWORD, count=40)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("VACUUM INTO ?", [str(backup)])
        revoke_here(site, crowd[:20])
        wait_for_the_bound()
        assert let_in(site, crowd[:20]) == 0
        restore_into(database, backup)
        done = manage(
            *("revoke_tokens", "--all", "--reason=the backup may have leaked", "--noinput"),
            DATABASE_URL=url,
            DJANGO_SETTINGS_MODULE=SNAPSHOT_SETTINGS,
        )
        assert done.returncode == 0, done.stderr
        wait_for_the_bound()
        assert let_in(site, crowd) == 0


@pytest.mark.parametrize("strangers", [0, 600])
def test_after_a_restored_dump_what_is_revoked_is_refused(strangers: int) -> None:
    """With many denials no process reads them all each time."""
    with own_postgres() as server:
        server.restore("site", Path(os.devnull))
        url = url_of(server.port, "site")
        set_up(url)
        with snapshot_site(url) as site:
            crowd = gather(site, ["ada"], PASSWORD, count=70)
            kept, lost, later, good = crowd[:5], crowd[5:25], crowd[25:65], crowd[65:]
            revoke_here(site, kept)
            with own_revoker(url) as revoker:
                revoker.deny_strangers(strangers)
                dump = server.dump("site")
                revoke_here(site, lost)
                revoker.deny_strangers(strangers)
            wait_for_the_bound()
            assert let_in(site, kept + lost) == 0
            server.restore("site", dump)
            eventually(lambda: all_accepted(site, lost + good))
            assert_later_ones_are_refused(site, url, later)
            assert let_in(site, kept) == 0
            assert all_accepted(site, good)
