"""
Other services accept the access token and refuse the refresh token, whatever library they use.

Each library has the keys, the issuer and the audience, as its manual says, and nothing else: none of
them is told to compare ``typ``.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jwt
import pytest
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from tokens import keyring, sessions
from tokens.models import SigningKey

ISSUER, AUDIENCE = "https://accounts.example.com", "https://api.example.com"
Verify = Callable[[str], Any]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["RS256", "ES256"])
def algorithm(request: Any, settings: Any) -> str:
    settings.TOKENS_ALGORITHM = request.param
    settings.TOKENS_ISSUER, settings.TOKENS_AUDIENCE = ISSUER, AUDIENCE
    settings.TOKENS_CLIENT_ID = "web"
    SigningKey.objects.all().delete()
    keyring.forget()
    keyring.ensure()
    return str(request.param)


@pytest.fixture
def jwk_set(live_server: Any) -> str:
    return f"{live_server.url}/.well-known/jwks.json"


def with_pyjwt(jwk_set: str, algorithm: str) -> Verify:
    keys = jwt.PyJWKClient(jwk_set)

    def verify(raw_token: str) -> Any:
        key = keys.get_signing_key_from_jwt(raw_token)
        return jwt.decode(raw_token, key, algorithms=[algorithm], issuer=ISSUER, audience=AUDIENCE)

    return verify


def with_joserfc(jwk_set: str, algorithm: str) -> Verify:
    with urlopen(jwk_set) as answer:
        keys = KeySet.import_key_set(json.loads(answer.read()))
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}
    )

    def verify(raw_token: str) -> Any:
        token = joserfc_jwt.decode(raw_token, keys, algorithms=[algorithm])
        registry.validate(token.claims)
        return token.claims

    return verify


def with_authlib(jwk_set: str, algorithm: str) -> Verify:
    with urlopen(jwk_set) as answer:
        keys = KeySet.import_key_set(json.loads(answer.read()))

    class Validator(JWTBearerTokenValidator):  # type: ignore[misc]  # Authlib has no types.
        def get_jwks(self) -> Any:
            return keys

    validator = Validator(issuer=ISSUER, resource_server=AUDIENCE)

    def verify(raw_token: str) -> Any:
        token = validator.authenticate_token(raw_token)
        validator.validate_token(token, [], None)
        return token

    return verify


@pytest.mark.parametrize("library", [with_pyjwt, with_joserfc, with_authlib])
def test_a_library_for_python_accepts_the_access_token_only(
    library: Any, jwk_set: str, algorithm: str, user: Any
) -> None:
    pair = sessions.start(user)
    verify = library(jwk_set, algorithm)
    verify(pair.raw_access)
    with pytest.raises(Exception):  # noqa: B017, PT011  # Each library has its own.
        verify(pair.raw_refresh)
    verify(sessions.refresh(pair.raw_refresh).raw_access)


@pytest.mark.services
@pytest.mark.parametrize("library", ["jose", "express-jwt", "express-oauth2-jwt-bearer"])
def test_a_library_for_node_accepts_the_access_token_only(
    library: str, node_modules: Path, jwk_set: str, algorithm: str, user: Any
) -> None:
    pair = sessions.start(user)
    with express(node_modules, jwk_set, algorithm) as address:
        assert status(f"{address}/{library}", pair.raw_access) == 200
        assert status(f"{address}/{library}", pair.raw_refresh) == 401


@contextmanager
def express(folder: Path, jwk_set: str, algorithm: str) -> Iterator[str]:
    """Run the Express app, and yield its address."""
    command = ["node", "app.js", jwk_set, ISSUER, AUDIENCE, algorithm]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def status(address: str, raw_token: str) -> int:
    request = Request(address, headers={"Authorization": f"Bearer {raw_token}"})
    try:
        with urlopen(request) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
