"""Sessions: stolen and replayed tokens, tokens of ended sessions and of other users."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.conftest import PASSWORD
from tests.support.grace import be_used, end_grace
from tokens.models import Session
from tokens.sessions import TokenPair

from .arena import Arena, assert_refusal, known_from, person_of

pytestmark = pytest.mark.usefixtures("honest_ones_go_on")


def refresh(arena: Arena, raw_refresh: str) -> dict[str, str]:
    answer = arena.client.post("/api/token/refresh/", refresh=raw_refresh)
    assert answer.status == 200, answer
    return dict(answer.json())


def assert_dead(arena: Arena, *raw_tokens: str) -> None:
    for raw_token in raw_tokens:
        arena.assert_refused_everywhere(raw_token)


@known_from("RFC 9700 §4.14.2")
def test_a_thief_who_is_first_loses_all_when_the_owner_refreshes(
    arena: Arena, victim: TokenPair
) -> None:
    first = refresh(arena, victim.raw_refresh)
    end_grace(victim)
    second = refresh(arena, first["refresh"])
    reused = arena.client.post("/api/token/refresh/", refresh=victim.raw_refresh)
    assert_refusal(reused)
    stolen = [pair[name] for pair in (first, second) for name in ("access", "refresh")]
    assert_dead(arena, victim.raw_access, *stolen)
    assert Session.objects.get(pk=victim.session.pk).end_reason == "reuse"


@known_from("RFC 9700 §4.14.2, ASVS 10.4.5")
def test_a_thief_who_is_second_gets_nothing_and_the_session_ends(
    arena: Arena, victim: TokenPair
) -> None:
    current = refresh(arena, victim.raw_refresh)
    end_grace(victim)
    be_used(victim)
    assert_refusal(arena.client.post("/api/token/refresh/", refresh=victim.raw_refresh))
    assert_dead(arena, current["access"], current["refresh"], victim.raw_refresh)


@known_from("RFC 9700 §4.14.2")
def test_a_replay_within_the_grace_brings_nothing_that_was_not_there(
    arena: Arena, victim: TokenPair
) -> None:
    current = refresh(arena, victim.raw_refresh)
    again = refresh(arena, victim.raw_refresh)
    assert again["refresh"] == current["refresh"]
    row = Session.objects.get(pk=victim.session.pk)
    assert (row.generation, row.repeats) == (1, 1)


ENDINGS: dict[str, Callable[[Arena, TokenPair], Any]] = {
    "logout": lambda arena, pair: arena.client.post("/api/logout/", bearer=pair.raw_access),
    "logout by refresh token": lambda arena, pair: arena.client.post(
        "/api/logout/", refresh=pair.raw_refresh
    ),
    "logout everywhere": lambda arena, pair: arena.client.post(
        "/api/logout/all/", bearer=pair.raw_access
    ),
    "revoke": lambda arena, pair: arena.client.post("/api/token/revoke/", token=pair.raw_refresh),
    "blacklist": lambda arena, pair: arena.client.post(
        "/api/token/blacklist/", refresh=pair.raw_refresh
    ),
    "ended from the list": lambda arena, pair: arena.client.send(
        "DELETE", f"/api/sessions/{pair.session.pk}/", bearer=pair.raw_access
    ),
    "deactivated": lambda arena, pair: _save(pair, is_active=False),
    "password changed": lambda arena, pair: _set_password(pair),
    "deleted": lambda arena, pair: person_of(pair).delete(),
}


def _save(pair: TokenPair, **changes: Any) -> None:
    person = person_of(pair)
    for name, value in changes.items():
        setattr(person, name, value)
    person.save()


def _set_password(pair: TokenPair) -> None:
    person = person_of(pair)
    person.set_password("another horse battery staple")
    person.save()


@pytest.mark.parametrize("ending", ENDINGS)
@known_from("CVE-2024-22513, ASVS 7.4.1, ASVS 7.4.2", each=dict.fromkeys(ENDINGS, ""))
def test_nothing_of_a_session_that_was_ended_is_taken(
    arena: Arena, victim: TokenPair, ending: str
) -> None:
    current = refresh(arena, victim.raw_refresh)
    pair = TokenPair(
        raw_access=current["access"],
        raw_refresh=current["refresh"],
        session=victim.session,
        access_expires_at=victim.access_expires_at,
        refresh_expires_at=victim.refresh_expires_at,
        answered_at=victim.answered_at,
    )
    answer = ENDINGS[ending](arena, pair)
    assert getattr(answer, "status", 200) in {200, 204}
    # The previous refresh token was within its grace, which revives nothing.
    assert_dead(arena, current["access"], current["refresh"], victim.raw_refresh)
    assert_dead(arena, victim.raw_access)


@known_from("CWE-613")
def test_a_namesake_of_a_deleted_user_does_not_inherit_sessions(
    arena: Arena, victim: TokenPair
) -> None:
    person = person_of(victim)
    name, key = person.username, person.pk
    person.delete()
    people: Any = get_user_model()._default_manager
    people.create_user(name, f"{name}@example.org", PASSWORD, id=key)
    assert_dead(arena, victim.raw_access, victim.raw_refresh)


@known_from("CWE-639, OWASP API1")
def test_a_foreign_session_is_as_if_it_were_not(arena: Arena, victim: TokenPair) -> None:
    bearer = arena.honest.raw_access
    ended = arena.somebody("ended")
    arena.client.post("/api/token/revoke/", token=ended.raw_refresh)
    nobody = "00000000-0000-4000-8000-000000000000"
    answers = {
        (answer.status, answer.body)
        for sid in (victim.session.pk, ended.session.pk, nobody)
        for answer in (arena.client.send("DELETE", f"/api/sessions/{sid}/", bearer=bearer),)
    }
    assert len(answers) == 1
    assert {status for status, _ in answers} == {404}
    assert arena.client.get("/api/me/", bearer=victim.raw_access).status == 200


@known_from("CWE-639")
def test_logging_out_ends_the_session_of_the_access_token_and_no_other(
    arena: Arena, victim: TokenPair
) -> None:
    bystander = arena.somebody("bystander")
    for path in ("/api/logout/", "/api/logout/all/"):
        thief = arena.somebody("thief")
        body = json.dumps({"refresh": victim.raw_refresh, "sid": str(bystander.session.pk)})
        arena.client.send("POST", path, body=body.encode(), bearer=thief.raw_access)
        assert_dead(arena, thief.raw_access)
    for pair in (victim, bystander):
        assert arena.client.get("/api/me/", bearer=pair.raw_access).status == 200


@known_from("RFC 7662 §4, CWE-862")
def test_introspection_requires_its_permission(arena: Arena, victim: TokenPair) -> None:
    path, token = "/api/token/introspect/", arena.honest.raw_access
    for bearer, status in (("", 401), (victim.raw_access, 403), (victim.raw_refresh, 401)):
        answer = arena.client.post(path, token=token, bearer=bearer)
        assert (answer.status, answer.is_json) == (status, True)
        assert b"active" not in answer.body.replace(b"inactive", b"")


@pytest.mark.parametrize(
    "position",
    [
        "1970-01-01 00:00:00+00:00",
        "9999-12-31 23:59:59+00:00",
        "9999-12-31 23:59:59-23:59",
        "0001-01-01 00:00:00+23:59",
        "2026-11-24 00:00:00",
        "2026-13-45 99:99:99",
        "' OR 1=1 --",
        "\x00",
        "x" * 5000,
    ],
    ids=lambda position: ascii(position)[:30],
)
@known_from("CWE-639")
def test_a_forged_cursor_shows_no_other_users_sessions(arena: Arena, position: str) -> None:
    own = str(arena.honest.session.pk)
    for text in (f"p={position}", f"r=1&p={position}", "o=9999999999999999999", position):
        cursor = base64.b64encode(text.encode()).decode().replace("=", "%3D").replace("+", "%2B")
        answer = arena.client.get(f"/api/sessions/?cursor={cursor}", bearer=arena.honest.raw_access)
        assert answer.status in {200, 400, 404}, answer
        assert answer.is_json
        if answer.status == 200:
            assert {session["id"] for session in answer.json()["results"]} <= {own}
