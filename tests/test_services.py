"""``make test-services`` and similar targets find the servers that they need, or start them."""

import shutil
from pathlib import Path

import pytest

from tests.support import servers, services
from tests.support.poolers import own_pgbouncer

NOWHERE = {"DATABASE_URL": "postgres://x@127.0.0.1:1/x", "CACHE_URL": "redis://127.0.0.1:1/0"}


@pytest.fixture(autouse=True)
def _nothing_named_and_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("CACHE_URL")
    monkeypatch.setattr(services, "USUAL_DATABASE_URL", NOWHERE["DATABASE_URL"])
    monkeypatch.setattr(services, "USUAL_CACHE_URL", NOWHERE["CACHE_URL"])


@pytest.mark.services
def test_what_does_not_run_is_started_and_stopped_again() -> None:
    with services.database() as database_url, services.cache() as cache_url:
        assert services.trouble_with_postgres(database_url) is None
        assert services.trouble_with_redis(cache_url) is None
    assert services.trouble_with_postgres(database_url)
    assert services.trouble_with_redis(cache_url)


@pytest.mark.parametrize("name", NOWHERE)
def test_a_server_that_is_named_and_does_not_answer_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, NOWHERE[name])
    lend = services.database if name == "DATABASE_URL" else services.cache
    says = rf"{name} names 127\.0\.0\.1:1, which does not answer"
    with pytest.raises(SystemExit, match=says), lend():
        pass


def test_a_server_that_is_not_installed_is_said_to_be_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(servers, "POSTGRES_VERSIONS", tmp_path)
    with pytest.raises(SystemExit, match="apt install postgresql"):
        services.main(["true"])
    monkeypatch.setattr(shutil, "which", lambda program, path=None: None)
    with pytest.raises(servers.NotInstalled, match="apt install redis-server"), services.cache():
        pass
    pooler = own_pgbouncer(NOWHERE["DATABASE_URL"], size=1)
    with pytest.raises(servers.NotInstalled, match="apt install pgbouncer"), pooler:
        pass
