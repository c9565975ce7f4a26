"""A site with a public key and status lists, and a service that reads them with other libraries."""

import base64
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from django.test import Client

from tokens import keyring
from tokens.models import SigningKey
from tokens.status_list import forget

BASE = "https://accounts.example.com/status-lists/"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
TTL = timedelta(seconds=30)
JSON = dict[str, Any]


@pytest.fixture(autouse=True)
def _site(settings: Any, db: None, tokens_process: None) -> None:
    settings.ROOT_URLCONF = "tests.status_list.urls"
    settings.TOKENS_STATUS_LIST_URL = BASE
    settings.TOKENS_STATUS_LIST_TTL = TTL
    settings.TOKENS_ALGORITHM = "ES256"
    SigningKey.objects.all().delete()
    keyring.forget()
    keyring.ensure()


def claims_of(raw_token: str) -> JSON:
    return dict(jwt.decode(raw_token, options={"verify_signature": False}))


def reference(raw_access: str) -> tuple[int, str]:
    """Return the ``idx`` and ``uri`` of an access token."""
    status_list = claims_of(raw_access)["status"]["status_list"]
    return status_list["idx"], status_list["uri"]


def fetch(uri: str, **headers: str) -> Any:
    return Client().get(urlsplit(uri).path, headers=headers)


def read_list(uri: str) -> JSON:
    """Return the claims of a list, as a service reads it that has the JWK Set (§8.3)."""
    answer = fetch(uri)
    assert answer.status_code == 200, answer.content
    keys = jwt.PyJWKSet.from_dict(json.loads(Client().get("/.well-known/jwks.json").content))
    header = jwt.get_unverified_header(answer.content)
    assert header["typ"] == "statuslist+jwt"
    claims = jwt.decode(
        answer.content.decode(),
        keys[header["kid"]],
        algorithms=["ES256"],
        options={"verify_exp": False, "verify_iat": False, "require": ["sub", "iat", "exp"]},
    )
    assert claims["sub"] == uri
    return dict(claims)


def bits_of(claims: JSON) -> bytes:
    lst = claims["status_list"]["lst"]
    return zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))


def status(raw_access: str) -> int:
    """Return the status of an access token, as a list says that is built now."""
    forget()
    idx, uri = reference(raw_access)
    return bits_of(read_list(uri))[idx // 8] >> idx % 8 & 1
