"""Claims: a valid signature over claims that are wrong or belong to another user."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.forging import compact
from tests.support.hostile import CLAIMS, PAYLOADS
from tokens.models import Session

from .arena import Arena, Attack, known_from

pytestmark = pytest.mark.usefixtures("nothing_changes")


def claiming(claims: dict[str, Any], *, refresh: bool = False) -> Callable[[Arena], str]:
    return lambda arena: (arena.refresh if refresh else arena.access).claiming(**claims)


def over(change: Callable[[bytes], bytes]) -> Callable[[Arena], str]:
    def forge(arena: Arena) -> str:
        return compact(arena.access.header, change(arena.access.payload), arena.access.own)

    return forge


def lacking(name: str) -> Callable[[Arena], str]:
    return lambda arena: arena.access.without(name)


def of_other(*names: str) -> Callable[[Arena], str]:
    """Return a function that forges the honest token with these claims of another user's."""

    def forge(arena: Arena) -> str:
        pair = arena.other
        others = {"sub": str(pair.session.user_id), "sid": str(pair.session.pk)}
        claims: dict[str, Any] = {name: others[name] for name in names}
        return arena.access.claiming(**claims)

    return forge


ATTACKS = [
    *(
        Attack(f"{kind} token, {name}", source, claiming(claims, refresh=kind == "refresh"))
        for kind in ("access", "refresh")
        for name, (source, claims) in CLAIMS.items()
    ),
    *(
        Attack(f"instead of the claims: {name}", source, over(change))
        for name, (source, change) in PAYLOADS.items()
    ),
    *(
        Attack(
            f"no {name}",
            "RFC 9068 §2.2" if name not in {"alg", "kid", "typ"} else "RFC 8725 §3.11",
            lacking(name),
        )
        for name in ("alg", "kid", "typ", "iss", "aud", "sub", "iat", "exp", "jti", "sid")
    ),
    *(
        Attack(
            f"refresh token of generation {generation!r}",
            "RFC 9700 §4.14.2",
            claiming({"gen": generation}, refresh=True),
        )
        for generation in (None, "0", 0.0, True, -1, 10**30, [0])
    ),
    Attack("sub of another user", "RFC 8725 §3.8, OWASP WSTG-SESS-10", of_other("sub")),
    Attack("sid of another user's session", "RFC 8725 §3.8", of_other("sid")),
    Attack(
        "sid in upper case, as no denylist row has it",
        "RFC 8725 §3.10",
        lambda arena: arena.access.claiming(sid=str(arena.honest.session.pk).upper()),
    ),
    Attack(
        "sid without hyphens",
        "RFC 8725 §3.10",
        lambda arena: arena.access.claiming(sid=arena.honest.session.pk.hex),
    ),
    Attack(
        "an access token with the typ of a refresh token",
        "RFC 8725 §2.8",
        lambda arena: arena.access.token(arena.access.own, typ="rt+jwt"),
    ),
    Attack(
        "a token with a former issuer and audience of the site",
        "RFC 8725 §2.7",
        claiming({"iss": "https://old.example", "aud": "https://old.example"}),
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_hostile_claims_are_refused(arena: Arena, attack: Attack) -> None:
    arena.assert_refused_everywhere(attack.forge(arena))


@known_from("RFC 8725 §3.12")
def test_a_refresh_token_with_the_typ_of_an_access_token_is_refused(arena: Arena) -> None:
    """Only ``typ`` distinguishes the two, and only the holder of the key can change it."""
    forged = arena.refresh.token(arena.refresh.own, typ="at+jwt")
    assert arena.client.post("/api/token/refresh/", refresh=forged).status == 401


@pytest.mark.parametrize("path", ["/api/me/", "/api/sessions/"])
@known_from("RFC 8725 §2.8, RFC 9068 §5")
def test_a_refresh_token_is_no_access_token(arena: Arena, path: str) -> None:
    answer = arena.client.get(path, bearer=arena.honest.raw_refresh)
    assert (answer.status, answer.json()["code"]) == (401, "token_not_valid")


@pytest.mark.parametrize("path", ["/api/token/refresh/", "/api/token/blacklist/"])
@known_from("RFC 8725 §2.8")
def test_an_access_token_is_no_refresh_token(arena: Arena, path: str) -> None:
    answer = arena.client.post(path, refresh=arena.honest.raw_access)
    assert (answer.status, answer.json()["detail"]) == (401, "Token has wrong type")


@known_from("RFC 7519 §4.1.4")
def test_a_token_is_refused_after_its_exp_and_the_leeway(arena: Arena) -> None:
    now = int(time.time())
    for late in (11, 60, 86400):
        raw = arena.access.claiming(iat=now - late - 300, exp=now - late)
        assert arena.client.get("/api/me/", bearer=raw).status == 401


@known_from("RFC 8725 §3.8")
def test_a_session_past_its_absolute_limit_is_refused_with_an_exp_far_ahead(arena: Arena) -> None:
    """A token forged with the site's key is still checked against the session's row."""
    ahead = int((datetime.now(UTC) + timedelta(days=365)).timestamp())
    session = arena.honest.session
    assert arena.client.get("/api/me/", bearer=arena.access.claiming(exp=ahead)).status == 200
    past = datetime.now(UTC) - timedelta(minutes=1)
    row = Session.objects.filter(pk=session.pk)
    row.update(idle_until=past, expires_at=past)
    try:
        assert arena.client.get("/api/me/", bearer=arena.access.claiming(exp=ahead)).status == 401
    finally:
        row.update(idle_until=session.idle_until, expires_at=session.expires_at)
