"""Headers as test clients and servers may set them: bytes, None, or what latin-1 does not have."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tokens.client import header_of
from tokens.models import Session


@pytest.mark.parametrize("name", ["Bearer", "bearer"])
def test_a_credential_may_be_bytes(api: APIClient, signed_in: dict[str, str], name: str) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"{name} {signed_in['access']}".encode())
    assert api.get("/api/me/").status_code == 200
    assert api.post("/api/logout/").status_code == 204


@pytest.mark.parametrize(
    "value", [None, 7, b"", b"\xff\xfe", b"Bearer \xff", "Bearer \u2603", "\ud800", b"Bearer"]
)
def test_no_other_value_admits_a_caller_or_fails(api: APIClient, db: None, value: Any) -> None:
    api.credentials(HTTP_AUTHORIZATION=value)
    for answer in (api.get("/api/me/"), api.post("/api/logout/")):
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("agent", [b"curl/8", b"\xff", None, "\u2603", 7])
def test_a_user_agent_may_be_anything(
    api: APIClient, signed_in: dict[str, str], agent: Any
) -> None:
    assert api.post("/api/token/refresh/", signed_in, HTTP_USER_AGENT=agent).status_code == 200
    assert Session.objects.count() == 1


@pytest.mark.parametrize("brought", [b"0123456789abcdef", None, 7])
def test_a_request_id_may_be_anything(api: APIClient, settings: Any, brought: Any) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    answer = api.get("/healthz", HTTP_X_REQUEST_ID=brought)
    assert len(answer["X-Request-ID"]) == 32


def test_bytes_are_read_as_servers_read_them(rf: Any) -> None:
    request = rf.get("/", HTTP_X_A=b"caf\xe9", HTTP_X_B="text")
    assert [header_of(request, f"HTTP_X_{name}") for name in "ABC"] == ["caf\xe9", "text", ""]
