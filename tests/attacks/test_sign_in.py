"""Sign-in and account: what a stranger can learn or gain, and what a thief can change."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tokens.models import Session
from tokens.sessions import TokenPair

from .arena import Arena, assert_refusal, known_from, person_of

# The headers that differ between any two answers.
OF_ITS_MOMENT = re.compile(r"^(Date|X-Request-ID): .*$", re.M)

pytestmark = pytest.mark.usefixtures("honest_ones_go_on")


@known_from("OWASP API3, CWE-915, CVE-2025-64459")
def test_signing_in_takes_a_name_and_a_password_and_nothing_else(
    arena: Arena, victim: TokenPair
) -> None:
    person = person_of(victim)
    body = {
        "username": person.username,
        "password": PASSWORD,
        "is_staff": True,
        "is_superuser": True,
        "is_active": True,
        "user": str(arena.auditor.session.user_id),
        "id": str(arena.honest.session.pk),
        "sid": str(arena.honest.session.pk),
        "generation": 7,
        "expires_at": "2099-01-01",
        "_connector": "OR 1=1 OR",
        "_negated": True,
        "username__startswith": "h",
    }
    answer = arena.client.post("/api/token/", **body)
    assert answer.status == 200
    me = arena.client.get("/api/me/", bearer=answer.json()["access"]).json()
    assert (me["username"], me["is_staff"]) == (person.username, False)
    fresh = person_of(victim)
    assert (fresh.is_staff, fresh.is_superuser) == (False, False)
    started = Session.objects.filter(user=fresh).exclude(pk=victim.session.pk).get()
    assert started.generation == 0
    assert started.expires_at < datetime.now(UTC) + timedelta(days=91)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
@known_from("OWASP API3, CWE-915")
def test_no_user_raises_their_own_permissions(arena: Arena, victim: TokenPair, method: str) -> None:
    body = json.dumps({"is_staff": True, "is_superuser": True}).encode()
    answer = arena.client.send(method, "/api/me/", body=body, bearer=victim.raw_access)
    assert answer.status == 405
    assert not person_of(victim).is_staff


@known_from("CWE-384, ASVS 7.2.4")
def test_a_sign_in_joins_no_session_that_an_attacker_prepared(
    arena: Arena, victim: TokenPair
) -> None:
    """Session fixation: the thief's token in the header, cookie or body changes nothing."""
    name = person_of(victim).username
    body = json.dumps({"username": name, "password": PASSWORD, "refresh": arena.other.raw_refresh})
    cookie = ("Cookie", f"sessionid={arena.other.session.pk}; jwt={arena.other.raw_access}")
    answer = arena.client.send(
        "POST", "/api/token/", cookie, body=body.encode(), bearer=arena.other.raw_access
    )
    assert answer.status == 200
    assert arena.client.get("/api/me/", bearer=answer.json()["access"]).json()["username"] == name
    taken = {arena.other.session.pk, victim.session.pk}
    assert Session.objects.filter(user=person_of(victim)).exclude(pk__in=taken).count() == 1


@pytest.mark.parametrize(
    "name",
    [
        {"$ne": None},
        ["honest"],
        {"username": "honest"},
        "' OR '1'='1' --",
        "honest' --",
        "honest\x00",
        "HONEST",
        # A Cyrillic letter that looks like h. "h" in full width is the same name, as in Django's
        # own form: no other user can register it.
        "\u04bbonest",
        "%",
        "*",
        "honest@example.org",
        True,
    ],
    ids=ascii,
)
@known_from("OWASP WSTG-INPV-05, WSTG-INPV-05.6, CVE-2019-19844")
def test_no_spelling_of_a_name_signs_in_as_another_user(arena: Arena, name: Any) -> None:
    answer = arena.client.post("/api/token/", username=name, password=PASSWORD)
    assert_refusal(answer)


@known_from("CWE-204, CVE-2024-39329, OWASP WSTG-IDNT-04")
def test_a_refused_sign_in_does_not_reveal_whether_the_user_exists(
    arena: Arena, victim: TokenPair
) -> None:
    person = person_of(victim)
    person.is_active = False
    person.save()
    inactive = person.username
    tries = (("honest", "wrong"), ("nobody-at-all", "wrong"), (inactive, PASSWORD))
    answers = {
        (answer.status, answer.body, OF_ITS_MOMENT.sub("", answer.head))
        for name, password in tries
        for answer in (arena.client.post("/api/token/", username=name, password=password),)
    }
    assert len(answers) == 1


@known_from("CWE-620, ASVS 7.5.1")
def test_a_stolen_access_token_changes_no_password(arena: Arena, victim: TokenPair) -> None:
    before = person_of(victim).password
    for current in ("", "wrong", None, True, PASSWORD + " "):
        answer = arena.client.post(
            "/api/me/password/",
            bearer=victim.raw_access,
            current_password=current,
            new_password="the thief's own long password",
        )
        assert_refusal(answer)
    assert person_of(victim).password == before
