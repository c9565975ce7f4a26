"""``/.well-known/jwks.json``: other services verify with it through rotations; it has no secret."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError
from joserfc.jwk import KeySet
from rest_framework.test import APIClient

from tokens import keyring, sessions
from tokens.models import SigningKey

ADDRESS = "/.well-known/jwks.json"
ASYMMETRIC = [name for name in keyring.ALGORITHMS if not name.startswith("HS")]

pytestmark = [
    pytest.mark.django_db,
    # RFC 9864 prefers the name Ed25519, which PyJWT and most services do not know yet.
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]


def rotate(**how: Any) -> None:
    """Rotate, as if the last rotation were an hour ago."""
    SigningKey.objects.filter(retired_at__isnull=False).update(
        retired_at=datetime.now(UTC) - timedelta(hours=1)
    )
    keyring.rotate(keyring.plan_rotation(**how))


def published(api: APIClient) -> dict[str, str]:
    """Return the state of each published key, in the order of the answer."""
    states = dict(SigningKey.objects.values_list("kid", "state"))
    return {key["kid"]: states[key["kid"]] for key in api.get(ADDRESS).json()["keys"]}


def verified_elsewhere(api: APIClient, raw_token: str, algorithm: str) -> dict[str, Any]:
    """Return the claims as read by another library that knows only the JWK Set."""
    keys = KeySet.import_key_set(api.get(ADDRESS).json())
    return dict(joserfc_jwt.decode(raw_token, keys, algorithms=[algorithm]).claims)


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_another_library_verifies_by_the_address_alone_through_a_rotation(
    api: APIClient, user: Any, algorithm: str
) -> None:
    rotate(algorithm=algorithm)
    before = sessions.start(user)
    rotate()
    after = sessions.refresh(before.raw_refresh)
    for pair in (before, after):
        claims = verified_elsewhere(api, pair.raw_access, algorithm)
        assert claims["sid"] == str(pair.session.pk)
        header, payload, signature = pair.raw_access.split(".")
        for forged in (
            f"{header}.{after.raw_refresh.split('.')[1]}.{signature}",
            f"{header}.{payload}.{signature[:40] + 'AAAA' + signature[44:]}",
        ):
            with pytest.raises(BadSignatureError):
                verified_elsewhere(api, forged, algorithm)


def test_another_library_stops_verifying_when_the_keys_are_revoked(
    api: APIClient, user: Any
) -> None:
    rotate(algorithm="ES256")
    pair = sessions.start(user)
    rotate(revoke_previous=True)
    with pytest.raises(InvalidKeyIdError):
        verified_elsewhere(api, pair.raw_access, "ES256")


def test_a_cached_copy_knows_the_next_signer_already(api: APIClient, user: Any) -> None:
    rotate(algorithm="EdDSA")
    copy = KeySet.import_key_set(api.get(ADDRESS).json())
    rotate()
    raw_access = sessions.start(user).raw_access
    joserfc_jwt.decode(raw_access, copy, algorithms=["EdDSA"])


@pytest.mark.parametrize("cooldown", [0, 30])
def test_pyjwts_client_follows_a_change_of_algorithm(
    live_server: Any, django_user_model: Any, cooldown: int
) -> None:
    keyring.ensure()
    user = django_user_model.objects.create_user("ada", "ada@example.org", "a pass phrase")
    client = jwt.PyJWKClient(live_server.url + ADDRESS, lifespan=3600, cooldown_duration=cooldown)
    rotate(algorithm="ES256")
    assert claims_by(client, sessions.start(user).raw_access, "ES256")["sub"] == str(user.pk)
    if cooldown:
        # The client does not ask again within half a minute, so publish the key first.
        keyring.publish("RS256")
        client.get_jwk_set(refresh=True)
        rotate()
    else:
        rotate(algorithm="RS256")
    assert claims_by(client, sessions.start(user).raw_access, "RS256")["sub"] == str(user.pk)


def claims_by(client: jwt.PyJWKClient, raw_access: str, algorithm: str) -> dict[str, Any]:
    key = client.get_signing_key_from_jwt(raw_access)
    return dict(jwt.decode(raw_access, key, algorithms=[algorithm], audience="latchkey"))


def test_keys_that_sign_or_will_sign_or_still_verify_are_there_and_no_other(
    api: APIClient,
) -> None:
    rotate(algorithm="ES256")
    assert list(published(api).values()) == ["signing", "next"]
    rotate(algorithm="EdDSA")
    assert list(published(api).values()) == ["signing", "next", "retired"]
    SigningKey.objects.filter(state="retired").update(
        verifies_until=datetime.now(UTC) - timedelta(seconds=1)
    )
    assert list(published(api).values()) == ["signing", "next"]
    rotate(revoke_previous=True)
    assert list(published(api).values()) == ["signing", "next"]


def test_the_members_are_public_and_say_what_the_key_is_for(api: APIClient) -> None:
    for algorithm in ASYMMETRIC:
        rotate(algorithm=algorithm)
    keys = api.get(ADDRESS).json()["keys"]
    assert {key["alg"] for key in keys} == set(ASYMMETRIC)
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & key.keys()


def test_hmac_keys_are_never_published(api: APIClient) -> None:
    rotate(algorithm="HS512")
    answer = api.get(ADDRESS)
    assert answer.json() == {"keys": []}
    assert answer["Content-Type"] == "application/jwk-set+json"


def test_a_cache_may_keep_it_and_asks_each_time(api: APIClient) -> None:
    rotate(algorithm="ES256")
    first = api.get(ADDRESS)
    assert first["Cache-Control"] == "public, no-cache"
    unchanged = api.get(ADDRESS, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged["Cache-Control"] == first["Cache-Control"]
    rotate()
    changed = api.get(ADDRESS, HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_it_is_read_only(api: APIClient) -> None:
    assert api.head(ADDRESS).status_code == 200
    assert api.post(ADDRESS, {}).status_code == 405


def test_a_ring_that_does_not_open_is_a_503_that_no_cache_keeps(
    api: APIClient, settings: Any
) -> None:
    settings.TOKENS_SECRET = "not the one that sealed the ring, 0123456789"
    answer = api.get(ADDRESS)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/json"
