"""What is refused of a token of the other package, whoever signed it."""

import hmac
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.contrib.auth import get_user_model

from tokens import sessions
from tokens.errors import BadSignature, Malformed, TokenError, UserGone, WrongClaims, WrongType
from tokens.jose.base64url import write_bytes, write_object
from tokens.takeover.models import AdoptedToken

from .conftest import DAY, KEY, NOW, adopt, payload, refresh_token, signed

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_a_token_that_names_two_users_belongs_to_neither(user: Any, settings: Any) -> None:
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "USER_ID_FIELD": "first_name"}
    users = get_user_model().objects
    users.filter(pk=user.pk).update(first_name="Ada")
    other = users.create_user("other", first_name="Ada")
    adopt()
    raw = refresh_token(user, user_id="Ada")
    with pytest.raises(UserGone):
        sessions.refresh(raw, now=NOW)
    other.delete()
    assert sessions.refresh(raw, now=NOW).session.user == user


@pytest.mark.parametrize(
    ("user_id", "error"),
    [
        ("no such", UserGone),
        ("00000000-0000-4000-8000-000000000000", UserGone),
        ("{PK}", UserGone),
        ("PK\0", UserGone),
        (" PK", UserGone),
        (["PK"], Malformed),
        ({"pk": "PK"}, Malformed),
        (None, Malformed),
        (True, Malformed),
        (1.5, Malformed),
        (2**70, Malformed),
        (7, UserGone),
        ("", Malformed),
        ("9" * 300, Malformed),
        ("' OR 1=1 --", UserGone),
    ],
)
@pytest.mark.usefixtures("opened")
def test_hostile_user_ids_are_refused(user: Any, user_id: Any, error: Any) -> None:
    if isinstance(user_id, str):
        user_id = user_id.replace("PK", str(user.pk))
    members = {**payload(user.pk), "user_id": user_id}
    with pytest.raises(error):
        sessions.refresh(signed(members), now=NOW)
    assert not AdoptedToken.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": None}, Malformed),
        ({"exp": "soon"}, Malformed),
        ({"iat": None}, Malformed),
        ({"jti": None}, Malformed),
        ({"jti": ""}, Malformed),
        ({"jti": 5}, Malformed),
        ({"token_type": None}, Malformed),
        ({"token_type": "sliding"}, WrongType),
        ({"token_type": "access"}, WrongType),
        ({"nbf": int((NOW + DAY).timestamp())}, WrongClaims),
        ({"iat": int((NOW + DAY).timestamp())}, WrongClaims),
    ],
)
@pytest.mark.usefixtures("opened")
def test_wrong_claims_are_refused(user: Any, changes: dict[str, Any], error: Any) -> None:
    members = {k: v for k, v in {**payload(user.pk), **changes}.items() if v is not None}
    with pytest.raises(error):
        sessions.refresh(signed(members), now=NOW)


@pytest.mark.parametrize(
    ("name", "value", "good", "bad"),
    [
        ("AUDIENCE", "us", ["us", ["us", "them"]], [None, "them", ["them"]]),
        ("AUDIENCE", ["us", "them"], ["them"], ["others"]),
        ("ISSUER", "us", ["us"], [None, "them"]),
    ],
)
@pytest.mark.usefixtures("opened")
def test_audience_and_issuer_are_checked_where_they_are_set(
    user: Any, settings: Any, name: str, value: Any, good: list[Any], bad: list[Any]
) -> None:
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, name: value}
    claim = {"AUDIENCE": "aud", "ISSUER": "iss"}[name]
    for accepted in good:
        sessions.verify(refresh_token(user, **{claim: accepted}), now=NOW)
    for refused in bad:
        with pytest.raises(WrongClaims):
            sessions.verify(refresh_token(user, **{claim: refused}), now=NOW)


def misnamed(members: dict[str, Any]) -> str:
    signing_input = f"{write_object({'alg': 'HS512'})}.{write_object(members)}"
    digest = hmac.digest(KEY.encode(), signing_input.encode(), "sha256")
    return f"{signing_input}.{write_bytes(digest)}"


@pytest.mark.usefixtures("opened")
def test_the_header_decides_nothing(user: Any) -> None:
    members = payload(user.pk)
    for raw, error in (
        (signed(members, headers={"kid": "simplejwt"}), TokenError),
        (signed(members, headers={"crit": ["exp"]}), Malformed),
        (signed(members, key=KEY * 2, algorithm="HS512"), BadSignature),
        # Signed with the pinned algorithm, and named otherwise.
        (misnamed(members), BadSignature),
    ):
        with pytest.raises(error):
            sessions.refresh(raw, now=NOW)
    with pytest.raises(BadSignature):
        sessions.refresh(signed(members, key="another key" * 5), now=NOW)
    with pytest.raises(TokenError):
        sessions.refresh(signed(members, key="", algorithm="none"), now=NOW)


@pytest.mark.usefixtures("opened")
def test_a_simple_jwt_that_cannot_be_read_refuses_and_does_not_fail(
    user: Any, settings: Any
) -> None:
    raw = refresh_token(user)
    for broken in (
        "no dict",
        {"ALGORITHM": "none"},
        {"ALGORITHM": "RS256"},
        {"ALGORITHM": "RS256", "VERIFYING_KEY": "no key"},
        {"ALGORITHM": "RS256", "JWK_URL": "https://example.org/"},
        {"SIGNING_KEY": KEY, "JTI_CLAIM": None},
        {"SIGNING_KEY": KEY, "USER_ID_FIELD": "no_field"},
    ):
        settings.SIMPLE_JWT = broken
        with pytest.raises(BadSignature):
            sessions.refresh(raw, now=NOW)
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    settings.SIMPLE_JWT = {"ALGORITHM": "RS256", "VERIFYING_KEY": "no key"}
    with pytest.raises(BadSignature, match="unfit"):
        sessions.refresh(signed(payload(user.pk), key=pem, algorithm="RS256"), now=NOW)
    settings.SIMPLE_JWT = {"SIGNING_KEY": KEY, "USER_ID_FIELD": "pk", "LEEWAY": MINUTE}
    sessions.refresh(raw, now=NOW)
