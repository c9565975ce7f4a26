"""Promise 9: bad input gets a 4xx in JSON, and no row is written."""

import base64
import json
from functools import partial
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests.support.forging import Target, compact, part, sign
from tests.support.hostile import CLAIMS, HEADERS, PAYLOADS, SPELLINGS
from tests.wire.conftest import Forge
from tokens import keyring, sessions
from tokens.errors import TokenError
from tokens.jose import Key
from tokens.models import DeniedToken, Session

BODIES = {
    "/api/token/": "username",
    "/api/token/refresh/": "refresh",
    "/api/token/verify/": "token",
    "/api/token/revoke/": "token",
    "/api/token/blacklist/": "refresh",
    "/api/logout/": "refresh",
    "/api/logout/all/": "refresh",
}
MEGABYTE = 1 << 20


def assert_refused(answer: Any, *, path: str = "") -> None:
    harmless = {200} if path == "/api/token/revoke/" else set()
    assert answer.status_code in {400, 401, 413} | harmless, answer.content
    assert answer["Content-Type"] == "application/json"
    assert not Session.objects.exclude(ended_at=None, generation=0).exists()
    assert not DeniedToken.objects.exists()


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"[[[]]]",
        b'"text"',
        b"null",
        b"1e999",
        b"NaN",
        b"\xff\xfe",
        b'{"\xff": 1}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_bodies_that_are_no_object(api: APIClient, user: Any, path: str, body: bytes) -> None:
    answer = api.post(path, body, content_type="application/json")
    # A view without required fields takes an empty list as an empty body, and then answers 401.
    assert answer.status_code in {400, 401}
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(("path", "field"), BODIES.items())
@pytest.mark.parametrize(
    "value",
    [
        1,
        1.5,
        True,
        None,
        [],
        ["a"],
        {},
        {"a": "b"},
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "ü" * 9000,
    ],
    ids=lambda value: ascii(value)[:12],
)
def test_values_that_are_no_sane_string(
    api: APIClient, user: Any, path: str, field: str, value: Any
) -> None:
    body = json.dumps({field: value, "password": "x"})
    assert_refused(api.post(path, body, content_type="application/json"), path=path)


@pytest.mark.parametrize(("path", "field"), BODIES.items())
def test_a_megabyte_of_token(api: APIClient, user: Any, path: str, field: str) -> None:
    body = {field: "a." * (MEGABYTE // 2), "password": "x"}
    assert_refused(api.post(path, body), path=path)


def test_a_megabyte_of_password(api: APIClient, user: Any) -> None:
    answer = api.post("/api/token/", {"username": "ada", "password": "a" * MEGABYTE})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", BODIES)
def test_a_body_that_is_too_large(api: APIClient, user: Any, path: str) -> None:
    body = b'"' + b"a" * 3 * MEGABYTE
    answer = api.post(path, body, content_type="application/json")
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/json"
    page = api.post(path, body, content_type="application/json", HTTP_ACCEPT="text/html")
    assert page.status_code == 413


@pytest.mark.parametrize("path", BODIES)
def test_a_charset_that_does_not_exist(api: APIClient, user: Any, path: str) -> None:
    for media_type in ("application/json", "application/x-www-form-urlencoded"):
        answer = api.post(path, b"{}", content_type=f"{media_type}; charset=nonsense")
        assert answer.status_code in {400, 401}
        assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer " + "a" * MEGABYTE,
        "Bearer \x00",
        "Bearer \xff\xfe",
        "Bearer \u2603",
        "Bearer a\tb",
        "Bearer ..",
        "Bearer .",
        "Bearer " + ".".join("abcd"),
    ],
    ids=lambda header: ascii(header)[:20],
)
def test_hostile_headers(api: APIClient, user: Any, header: str) -> None:
    api.credentials(HTTP_AUTHORIZATION=header)
    for answer in (
        api.get("/api/me/"),
        api.delete("/api/sessions/nope/"),
        api.post("/api/logout/"),
    ):
        assert answer.status_code in {401, 404}
        assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("separator", ["\t", "\x0b", "\x1f", "\x85", "\xa0", ",", ":", ""])
def test_only_a_space_stands_between_scheme_and_token(
    api: APIClient, signed_in: dict[str, str], separator: str
) -> None:
    for credential, status in ((f"Bearer{separator}", 401), ("bearer  ", 200)):
        api.credentials(HTTP_AUTHORIZATION=credential + signed_in["access"])
        assert api.get("/api/me/").status_code == status


def assert_token_refused(api: APIClient, raw: str) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {raw}")
    assert_refused(api.get("/api/me/"))
    for path, field in BODIES.items():
        if path != "/api/token/":
            assert_refused(api.post(path, {field: raw}), path=path)


@pytest.mark.parametrize("name", HEADERS)
def test_a_good_signature_under_a_hostile_header(api: APIClient, forge: Forge, name: str) -> None:
    assert_token_refused(api, forge(header=HEADERS[name][1]))


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize("name", CLAIMS)
def test_a_good_signature_over_hostile_claims(
    api: APIClient, forge: Forge, name: str, refresh: bool
) -> None:
    assert_token_refused(api, forge(claims=CLAIMS[name][1], refresh=refresh))


@pytest.mark.parametrize(
    "name", ["alg", "kid", "typ", "iss", "aud", "sub", "iat", "exp", "jti", "sid"]
)
def test_a_good_signature_over_a_token_that_lacks_something(
    api: APIClient, forge: Forge, name: str
) -> None:
    assert_token_refused(api, forge(drop=(name,)))


@pytest.mark.parametrize("generation", [None, "0", 0.0, True, -1, 10**30, [0]])
def test_a_refresh_token_with_a_hostile_generation(
    api: APIClient, forge: Forge, generation: Any
) -> None:
    assert_token_refused(api, forge(refresh=True, claims={"gen": generation}))


def test_a_refresh_token_of_the_future_is_reuse_of_nothing(api: APIClient, forge: Forge) -> None:
    """Only a holder of the key can sign one, so the session ends."""
    raw = forge(refresh=True, generation=5)
    assert api.post("/api/token/refresh/", {"refresh": raw}).status_code == 401
    assert Session.objects.get().ended_at is not None


@pytest.mark.parametrize("members", ["jku", "jwk", "x5u", "x5c"])
def test_keys_inside_the_token_are_ignored(api: APIClient, forge: Forge, members: str) -> None:
    kid = keyring.signing_key().kid
    forged = Key(kid, "HS256", b"0123456789abcdef0123456789abcdef")
    embedded = {"kty": "oct", "k": part(forged.material).decode(), "kid": kid}
    header = {"alg": "HS256", "typ": "at+jwt", "kid": kid, members: embedded}
    claims = jwt.decode(forge(), options={"verify_signature": False})
    assert_token_refused(api, compact(header, claims, partial(sign, forged)))


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_good_signature_over_no_sane_claims(api: APIClient, user: Any, name: str) -> None:
    target = Target(sessions.start(user).raw_access, keyring.signing_key())
    payload = PAYLOADS[name][1](target.payload)
    assert_token_refused(api, compact(target.header, payload, target.own))


@pytest.mark.parametrize("name", SPELLINGS)
def test_other_spellings_of_a_good_token(api: APIClient, forge: Forge, name: str) -> None:
    assert_token_refused(api, SPELLINGS[name][1](forge()))


@pytest.mark.parametrize(
    "position",
    ["", "x", "\x00", "2026-11-24 00:00:00", "2026-13-45 00:00:00", "0001-01-01 00:00:00+23:59"],
)
def test_a_cursor_that_points_to_no_instant(
    api: APIClient, signed_in: dict[str, str], position: str
) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in['access']}")
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()
    answer = api.get("/api/sessions/", {"cursor": cursor})
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"


UNHURRIED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@pytest.mark.slow
@UNHURRIED
@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_random_bodies(api: APIClient, user: Any, body: bytes) -> None:
    for path in BODIES:
        answer = api.post(path, body, content_type="application/json")
        assert answer.status_code in {400, 401}, (path, body)


@pytest.mark.slow
@UNHURRIED
@given(value=JSON)
def test_random_values(api: APIClient, user: Any, value: Any) -> None:
    for path, field in BODIES.items():
        body = json.dumps({field: value, "password": value})
        assert_refused(api.post(path, body, content_type="application/json"), path=path)


@UNHURRIED
@given(at=st.integers(min_value=0), character=st.characters(codec="ascii"))
def test_a_token_with_one_character_changed_is_no_other_users(
    user: Any, at: int, character: str
) -> None:
    raw = sessions.start(user).raw_access
    at %= len(raw)
    changed = raw[:at] + character + raw[at + 1 :]
    try:
        found = sessions.authenticate(changed)
    except TokenError:
        return
    # The last character of a part may have bits that are not used.
    assert found.claims == sessions.authenticate(raw).claims
