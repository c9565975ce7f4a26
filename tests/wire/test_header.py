"""The header and the schemes that TOKENS_HEADER_NAME and TOKENS_HEADER_TYPES name."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.tokens.checks.conftest import found

ME = "/api/me/"


@pytest.mark.parametrize("scheme", ["JWT", "jwt", "Bearer"])
def test_each_scheme_of_the_setting_is_taken_in_any_case(
    settings: Any, signed_in: dict[str, Any], scheme: str
) -> None:
    settings.TOKENS_HEADER_TYPES = ["JWT", "Bearer"]
    client = APIClient(HTTP_AUTHORIZATION=f"{scheme} {signed_in['access']}")
    assert client.get(ME).status_code == 200


def test_a_scheme_that_is_not_in_the_setting_is_no_credential(
    settings: Any, signed_in: dict[str, Any]
) -> None:
    settings.TOKENS_HEADER_TYPES = ["JWT"]
    answer = APIClient(HTTP_AUTHORIZATION=f"Bearer {signed_in['access']}").get(ME)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Authentication credentials were not provided."
    assert answer["WWW-Authenticate"] == 'JWT realm="api"'


def test_the_challenge_to_a_bad_token_names_the_first_scheme(settings: Any, db: None) -> None:
    settings.TOKENS_HEADER_TYPES = ["JWT", "Bearer"]
    answer = APIClient(HTTP_AUTHORIZATION="Bearer junk").get(ME)
    assert answer["WWW-Authenticate"] == 'JWT realm="api", error="invalid_token"'
    refused = APIClient().post("/api/token/", {"username": "ada", "password": "wrong"})
    assert refused["WWW-Authenticate"] == 'JWT realm="api"'


def test_the_token_is_taken_from_the_header_of_the_setting_only(
    settings: Any, signed_in: dict[str, Any]
) -> None:
    settings.TOKENS_HEADER_NAME = "X-Access-Token"
    value = f"Bearer {signed_in['access']}"
    assert APIClient(HTTP_X_ACCESS_TOKEN=value).get(ME).status_code == 200
    assert APIClient(HTTP_AUTHORIZATION=value).get(ME).status_code == 401


@pytest.mark.parametrize("types", [[], ["Bearer token"], [""]])
def test_schemes_that_no_client_can_send_are_reported(
    settings: Any, db: None, types: list[str]
) -> None:
    settings.TOKENS_HEADER_TYPES = types
    assert "tokens.E050" in found()
