"""Promise 7: Redis may be gone, silent or emptied, because the database decides."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import set_up, sign_in
from tests.support.processes import RunningSite, running_site
from tests.support.servers import Redis, own_redis

pytestmark = pytest.mark.services


@pytest.fixture
def redis() -> Iterator[Redis]:
    with own_redis() as server:
        yield server


@pytest.fixture
def site(redis: Redis, tmp_path: Path) -> Iterator[RunningSite]:
    database_url = f"sqlite:///{tmp_path}/db.sqlite3"
    set_up(database_url)
    with running_site(
        workers=2, DATABASE_URL=database_url, CACHE_URL=redis.url, LOGIN_THROTTLE="100/min"
    ) as site:
        yield site


def test_an_emptied_cache_revives_nothing(redis: Redis, site: RunningSite) -> None:
    revoked = sign_in(site)
    assert site.post("/api/token/revoke/", token=revoked.refresh)[0] == 200
    redis.empty()
    assert (revoked.calls(), revoked.refreshes()) == (401, 401)


@pytest.mark.parametrize("fault", ["crash", "freeze"])
def test_without_a_cache_people_sign_in_call_and_refresh(
    redis: Redis, site: RunningSite, fault: str
) -> None:
    revoked = sign_in(site)
    assert site.post("/api/token/revoke/", token=revoked.access)[0] == 200
    getattr(redis, fault)()
    started = time.monotonic()
    ada = sign_in(site)
    assert (ada.calls(), ada.refreshes(), ada.calls()) == (200, 200, 200)
    assert revoked.calls() == 401
    assert site.ask("/api/me/", raw_access="forged").status == 401
    assert time.monotonic() - started < 15
    assert site.ask("/readyz").status == 503
