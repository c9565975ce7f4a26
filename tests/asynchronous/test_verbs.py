"""The verbs for async code do what the others do, and do not block the event loop."""

import asyncio
import base64
import inspect
import json
from typing import Any

import jwt
import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import RequestFactory
from django.utils import translation

from tests.asynchronous.conftest import forged, run
from tests.asynchronous.hops import Hops
from tokens import keyring, sessions
from tokens.client import answering, current_request
from tokens.errors import BadSignature, Denied, Malformed, SessionEnded, TokenError, UnknownKey
from tokens.jose import TokenType
from tokens.keyring import ring
from tokens.models import EndReason, Session
from tokens.sessions import TokenPair, asynchronous, authentication

VERBS = [name for name in sessions.__all__ if f"a{name}" in sessions.__all__]
SYNC_ONLY = {
    # They run no query.
    "audience_of",
    "auth_hash_matches",
    "auth_hashes",
    "check_session",
    "needs_user",
    "require_eligible",
    "would_refresh",
    "set_adopter",
    "set_shortcut",
    "set_statuses",
    # For the transaction of the caller, which is synchronous.
    "judge",
    "lock",
}


def test_every_verb_that_reaches_the_database_has_an_async_one() -> None:
    functions = {name for name in sessions.__all__ if inspect.isfunction(getattr(sessions, name))}
    asynchronous_ones = {f"a{name}" for name in VERBS}
    assert functions - asynchronous_ones - set(VERBS) == SYNC_ONLY


@pytest.mark.parametrize("name", VERBS)
def test_an_async_verb_takes_the_same_arguments(name: str) -> None:
    verb, averb = getattr(sessions, name), getattr(sessions, f"a{name}")
    assert inspect.iscoroutinefunction(averb)
    assert inspect.signature(averb) == inspect.signature(verb) or name == "authenticate"
    assert averb.__name__ == f"a{name}"


def test_a_token_is_authenticated_by_one_query(
    pair: TokenPair, user: Any, hops: Hops, django_assert_num_queries: Any
) -> None:
    async def authenticate() -> Any:
        hops.take()
        return await sessions.aauthenticate(pair.raw_access), hops.take()

    with django_assert_num_queries(1):
        found, taken = run(authenticate())
    assert (found.user, found.session.pk) == (user, found.claims.sid)
    assert taken == 1


def test_a_session_begins_is_refreshed_and_ends(user: Any, transactional_db: None) -> None:
    async def live() -> None:
        pair = await sessions.astart(user)
        again = await sessions.arefresh(pair.raw_refresh)
        found = await sessions.aauthenticate(again.raw_access)
        assert (await sessions.averify(again.raw_refresh)).claims.sid == found.claims.sid
        assert await sessions.aend_all(user, reason=EndReason.REVOKED) == 1
        with pytest.raises(SessionEnded):
            await sessions.aauthenticate(again.raw_access)
        with pytest.raises(TokenError):
            await sessions.arefresh(again.raw_refresh)

    run(live())


def test_the_user_and_the_session_are_there_at_once_in_strict_mode(
    pair: TokenPair, hops: Hops, user: Any
) -> None:
    async def load() -> tuple[Any, Any, int]:
        found = await sessions.aauthenticate(pair.raw_access)
        hops.take()
        return await found.auser(), (await found.asession()).pk, hops.take()

    assert run(load()) == (user, pair.session.pk, 0)


def test_a_raw_token_may_be_given_by_its_name(pair: TokenPair) -> None:
    assert run(sessions.arefresh(raw_refresh=pair.raw_refresh)).raw_refresh != pair.raw_refresh
    with pytest.raises(TypeError, match="raw_refresh"):
        run(sessions.arefresh())  # type: ignore[call-arg]


def test_a_revoked_token_is_refused(pair: TokenPair) -> None:
    async def revoke() -> None:
        await sessions.arevoke(pair.raw_access)
        with pytest.raises(Denied):
            await sessions.aauthenticate(pair.raw_access)

    run(revoke())


@pytest.mark.parametrize(
    "name", ["authenticate", "verify", "refresh", "revoke", "find_by_refresh_token", "read_claims"]
)
def test_junk_is_refused_without_a_thread(pair: TokenPair, hops: Hops, name: str) -> None:
    averb = getattr(sessions, f"a{name}")
    kwargs = {"now": pair.answered_at} if name == "read_claims" else {}

    async def refuse() -> int:
        hops.take()
        with pytest.raises(BadSignature):
            await averb(forged(pair.raw_access), **kwargs)
        with pytest.raises(Malformed):
            await averb("junk", **kwargs)
        return hops.take()

    assert run(refuse()) == 0


def test_the_key_ring_is_read_in_a_thread(pair: TokenPair, hops: Hops) -> None:
    keyring.forget()

    async def authenticate() -> Any:
        hops.take()
        found = await sessions.aauthenticate(pair.raw_access)
        with pytest.raises(TokenError):
            await sessions.arefresh(pair.raw_access)
        return found, hops.take()

    found, taken = run(authenticate())
    assert found.claims.type is TokenType.ACCESS
    assert taken == 2


def test_unknown_keys_take_a_thread_as_often_as_they_read_the_ring(
    pair: TokenPair, hops: Hops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "REREADS_PER_SECOND", 1)
    head, rest = pair.raw_access.split(".", 1)
    unknown = f"{_with_unknown_kid(head)}.{rest}"

    async def refuse() -> list[int]:
        taken = []
        for _ in range(2):
            hops.take()
            with pytest.raises(UnknownKey):
                await sessions.aauthenticate(unknown)
            taken.append(hops.take())
        return taken

    assert run(refuse()) == [1, 0]


def _with_unknown_kid(head: str) -> str:
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    text = json.dumps({**header, "kid": "unknown"}).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


_seen: list[Any] = []


def rule(user: Any) -> bool:
    _seen.append((current_request(), translation.get_language()))
    return True


def test_the_thread_sees_the_context_of_the_caller(pair: TokenPair, settings: Any) -> None:
    request = RequestFactory().get("/")
    _seen.clear()
    settings.TOKENS_USER_RULE = f"{__name__}.rule"

    async def authenticate() -> None:
        with answering(request), translation.override("de"):
            await sessions.aauthenticate(pair.raw_access)

    run(authenticate())
    assert _seen == [(request, "de")]


def test_a_tenant_of_the_thread_s_connection_is_that_of_the_request(
    pair: TokenPair, hops: Hops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection of the event loop has another tenant, so nothing is decided there."""
    monkeypatch.setattr(authentication, "differs_by_thread", lambda model: True)

    async def refuse() -> int:
        hops.take()
        with pytest.raises(BadSignature):
            await sessions.aauthenticate(forged(pair.raw_access))
        with pytest.raises(BadSignature):
            await sessions.arefresh(forged(pair.raw_access))
        return hops.take()

    assert run(refuse()) == 2


def test_a_token_without_a_kid_is_offered_to_the_adopter_in_a_thread(
    pair: TokenPair, hops: Hops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "_adopter", None)
    raw_token = jwt.encode({"sub": "1"}, "k" * 32)

    async def refuse() -> int:
        hops.take()
        with pytest.raises(Malformed):
            await sessions.aauthenticate(raw_token)
        with pytest.raises(Malformed):
            await sessions.arefresh(raw_token)
        return hops.take()

    assert run(refuse()) == 0
    monkeypatch.setattr(authentication, "_adopter", lambda raw_token, type, now: None)
    assert run(refuse()) == 2


async def gathered(calls: list[Any]) -> list[Any]:
    """Return the results of calls that run at once on one loop, whose thread has its own connection."""
    try:
        return list(await asyncio.gather(*calls))
    finally:
        await sync_to_async(connections.close_all)()


def test_many_refreshes_at_once_get_the_same_pair(pair: TokenPair) -> None:
    calls = [sessions.arefresh(pair.raw_refresh) for _ in range(20)]
    pairs = asyncio.run(gathered(calls))
    assert len({each.raw_refresh for each in pairs}) == 1
    assert Session.objects.get().generation == 1


def test_many_requests_at_once_are_authenticated(pair: TokenPair) -> None:
    calls = [sessions.aauthenticate(pair.raw_access) for _ in range(20)]
    assert len({found.claims.jti for found in asyncio.run(gathered(calls))}) == 1


def test_the_verbs_hide_what_they_are_given(pair: TokenPair) -> None:
    """No frame of a traceback has a raw token."""
    with pytest.raises(BadSignature) as raised:
        run(asynchronous.averify(forged(pair.raw_access)))
    frames = raised.traceback
    mine = [frame for frame in frames if "tokens/sessions" in str(frame.path)]
    assert mine
    assert not any(
        forged(pair.raw_access) in repr(value)
        for frame in mine
        for value in frame.frame.f_locals.values()
    )
