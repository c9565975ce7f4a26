"""Only junk is counted by address: tokens of this site have limits of their own, or none."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tests.tokens.api.token_doors import (
    DOORS,
    PER_SESSION,
    TAKING_BACK,
    Door,
    each_door,
    fresh_address,
    raw_of,
)
from tokens import sessions
from tokens.api import token_limits
from tokens.conf import Settings
from tokens.limits import counts
from tokens.models import EndReason, Session, ThrottleCount
from tokens.sessions import seen

pytestmark = pytest.mark.django_db

SETTINGS = [
    "TOKENS_REFRESH_THROTTLE",
    "TOKENS_VERIFY_THROTTLE",
    "TOKENS_REVOKE_THROTTLE",
    "TOKENS_INTROSPECT_THROTTLE",
]
LONG_AGO = timedelta(days=365)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _cache_awake() -> Iterator[None]:
    yield
    token_limits._cache.asleep_until = 0.0


@pytest.fixture
def limits(settings: Any) -> Callable[[str], None]:
    """Set one rate for all requests with tokens."""

    def set_all(rate: str) -> None:
        for setting in SETTINGS:
            setattr(settings, setting, rate)

    return set_all


@pytest.fixture
def at(user: Any) -> Callable[..., APIClient]:
    """Make a client at an address; by default one at which no other test of any process counted."""
    user.user_permissions.add(Permission.objects.get(codename="introspect_token"))

    def client(door: Door, address: str = "") -> APIClient:
        made = APIClient(REMOTE_ADDR=address or fresh_address())
        if "introspect" in door.path:
            raw_access = sessions.start(user).raw_access
            made.credentials(HTTP_AUTHORIZATION=f"Bearer {raw_access}")
        return made

    return client


def assert_over(answer: Any) -> None:
    assert answer.status_code == 429, answer.content
    assert 1 <= int(answer["Retry-After"]) <= 86400
    assert "throttled" in answer.json()["detail"]


@each_door
def test_junk_fills_the_limit_of_junk_and_no_other(
    user: Any, limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    limits("3/day")
    address = fresh_address()
    junk = [door.send(at(door, address), "garbage") for _ in range(4)]
    assert [answer.status_code for answer in junk[:3]] == [door.junk] * 3
    assert_over(junk[3])
    good = [door.send_own(at(door, address), sessions.start(user)) for _ in range(20)]
    assert [answer.status_code for answer in good] == [door.good] * 20
    assert door.send(at(door), "garbage").status_code == door.junk
    assert not ThrottleCount.objects.exists()


@each_door
def test_junk_over_the_limit_costs_no_query(
    user: Any, limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    limits("1/day")
    client = at(door)
    door.send(client, "garbage")
    with CaptureQueriesContext(connection) as queries:
        assert_over(door.send(client, "garbage"))
    assert len(queries) == door.queries


@each_door
def test_a_genuine_token_is_not_counted_by_address_although_it_is_refused(
    user: Any, limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    limits("1/day")
    address = fresh_address()
    ended, expired = sessions.start(user), sessions.start(user, now=timezone.now() - LONG_AGO)
    sessions.end([ended.session], reason=EndReason.REVOKED)
    for pair in (expired, ended) * 2:
        door.send_own(at(door, address), pair)
    answers = [door.send(at(door, address), "garbage") for _ in range(2)]
    assert answers[0].status_code == door.junk
    assert_over(answers[1])


@pytest.mark.parametrize("door", PER_SESSION, ids=repr)
def test_what_a_session_may_do_is_limited_and_other_sessions_are_not(
    user: Any, limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    limits("3/day")
    one, other = sessions.start(user), sessions.start(user)
    # From an address of its own each time, because the limit is the session's.
    answers = [door.send_own(at(door), one) for _ in range(4)]
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    assert_over(answers[3])
    assert not answers[3].cookies, "a browser keeps its tokens and tries again"
    assert door.send_own(at(door), other).status_code == 200


@pytest.mark.parametrize("door", PER_SESSION, ids=repr)
def test_over_the_limit_of_a_session_nothing_is_written(
    user: Any, limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    limits("1/day")
    pair, client = sessions.start(user), at(door)
    door.send_own(client, pair)
    before = Session.objects.filter(pk=pair.session.pk).values().get()
    with CaptureQueriesContext(connection) as queries:
        assert_over(door.send_own(client, pair))
    # Only a refresh reads the session, to find out whether the token is a reuse.
    assert len(queries) == door.queries + ("refresh/" in door.path)
    assert Session.objects.filter(pk=pair.session.pk).values().get() == before


@pytest.mark.parametrize(
    "door", [door for door in PER_SESSION if "refresh/" in door.path], ids=repr
)
def test_a_thief_cannot_hide_the_theft_behind_the_limit_of_the_session(
    user: Any, settings: Any, at: Callable[..., APIClient], door: Door
) -> None:
    settings.TOKENS_REFRESH_THROTTLE = "2/day"
    began = timezone.now() - 10 * MINUTE
    stolen = sessions.start(user, now=began)
    thiefs = sessions.refresh(stolen.raw_refresh, now=began + MINUTE)
    sessions.authenticate(thiefs.raw_access, now=began + MINUTE)
    seen.flush()
    for _ in range(2):
        assert door.send_own(at(door), thiefs).status_code == 200
    assert_over(door.send_own(at(door), thiefs))
    owners = door.send_own(at(door), stolen)
    assert (owners.status_code, owners.json()["detail"]) == (401, "Token is blacklisted")
    assert Session.objects.get(pk=stolen.session.pk).end_reason == EndReason.REUSE
    # A client whose session has ended is told so, and does not wait.
    assert door.send_own(at(door), thiefs).status_code == 401


@pytest.mark.parametrize("door", TAKING_BACK, ids=repr)
def test_a_token_can_be_taken_back_however_often_the_session_did_anything(
    user: Any, limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    limits("1/day")
    pair, address = sessions.start(user), fresh_address()
    for other in DOORS:
        client = at(other, address)
        assert [other.send(client, "garbage") for _ in range(2)][-1].status_code == 429
    for other in PER_SESSION:
        other.send_own(at(other, address), pair)
    assert door.send_own(at(door, address), pair).status_code == door.good
    taken_back = APIClient(HTTP_AUTHORIZATION=f"Bearer {raw_of(pair, door.type)}")
    assert taken_back.get("/api/me/").status_code == 401
    answers = [door.send_own(at(door, address), sessions.start(user)) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [door.good] * 20


@pytest.mark.parametrize("path", ["/api/logout/", "/api/logout/all/"])
@pytest.mark.parametrize("proven", ["header", "body"])
def test_one_proven_token_is_enough_for_a_sign_out_not_to_be_counted(
    user: Any, settings: Any, path: str, proven: str
) -> None:
    settings.TOKENS_REVOKE_THROTTLE = "1/day"
    client = APIClient(REMOTE_ADDR=fresh_address())
    expired = sessions.start(user, now=timezone.now() - LONG_AGO)
    in_header, in_body = "garbage", "garbage"
    if proven == "header":
        in_header = expired.raw_access
    else:
        in_body = expired.raw_refresh
    for _ in range(3):
        answer = client.post(path, {"refresh": in_body}, HTTP_AUTHORIZATION=f"Bearer {in_header}")
        assert answer.status_code == 401
    junk = partial(client.post, path, {"refresh": "x"}, HTTP_AUTHORIZATION="Bearer garbage")
    assert junk().status_code == 401
    assert_over(junk())


def test_a_sign_out_by_junk_cookies_deletes_them_over_the_limit_too(
    user: Any, settings: Any
) -> None:
    settings.TOKENS_REVOKE_THROTTLE = "1/day"
    client = APIClient(REMOTE_ADDR=fresh_address())
    for _ in range(2):
        client.cookies["latchkey_access"] = client.cookies["latchkey_refresh"] = "garbage"
        answer = client.post("/api/logout/")
        assert {name: c["max-age"] for name, c in answer.cookies.items()} == {
            "latchkey_access": 0,
            "latchkey_refresh": 0,
        }
    assert_over(answer)


@each_door
def test_a_request_without_a_token_is_not_counted(
    limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    limits("1/day")
    client = at(door)
    without = 401 if "logout" in door.path or "cookie" in door.path else 400
    assert [client.post(door.path, {}).status_code for _ in range(3)] == [without] * 3
    assert door.send(client, "garbage").status_code == door.junk


@each_door
def test_clients_without_a_known_address_do_not_share_a_limit(
    settings: Any, limits: Callable[[str], None], at: Callable[..., APIClient], door: Door
) -> None:
    """Otherwise one of them could use up the limit of all."""
    limits("3/day")
    settings.TOKENS_TRUSTED_PROXIES = 1
    client = at(door)
    client.defaults["HTTP_X_FORWARDED_FOR"] = "unknown"
    assert [door.send(client, "garbage").status_code for _ in range(6)] == [door.junk] * 6


def test_a_limit_per_address_can_be_switched_off(
    limits: Callable[[str], None], at: Callable[..., APIClient]
) -> None:
    limits("")
    for door in DOORS:
        assert {door.send(at(door), "garbage").status_code for _ in range(2)} == {door.junk}


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_default_is_generous_and_there(settings: Any, setting: str) -> None:
    delattr(settings, setting)
    rate = counts.parse_rate(getattr(Settings(), setting))
    assert rate is not None
    assert rate.limit / rate.period >= 10


@pytest.mark.parametrize("error", [ConnectionError("no route"), OSError("timed out")])
def test_a_cache_that_is_down_costs_the_count_and_not_the_refresh(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    settings.TOKENS_REFRESH_THROTTLE = "1/day"
    asked = []

    def fail(*args: Any, **kwargs: Any) -> bool:
        asked.append(args)
        raise error

    monkeypatch.setattr(cache, "add", fail)
    raw_refresh = sessions.start(user).raw_refresh
    for _ in range(3):
        answer = APIClient().post("/api/token/refresh/", {"refresh": raw_refresh})
        assert answer.status_code == 200
    assert len(asked) == 1, "only the first request waits for a cache that does not answer"


def test_a_count_that_runs_out_meanwhile_begins_at_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "add", lambda *args: False)
    assert token_limits._cache.count(f"nobody-counts:{fresh_address()}", seconds=60) == 1
