"""The checks report what keeps other services from reading the lists."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.utils.functional import lazystr

from tests.status_list.conftest import BASE
from tokens import keyring
from tokens.conf import conf
from tokens.models import SigningKey

OURS = {"tokens.E063", "tokens.E064", "tokens.W072", "tokens.W073"}


def found() -> dict[str, Any]:
    messages = run_checks(include_deployment_checks=True)
    return {str(message.id): message for message in messages if message.id in OURS}


def test_a_site_with_lists_is_silent() -> None:
    assert found() == {}


def test_a_site_that_wants_no_lists_is_silent(settings: Any) -> None:
    settings.TOKENS_STATUS_LIST_URL = None
    settings.TOKENS_ALGORITHM = "HS256"
    settings.ROOT_URLCONF = "config.urls"
    assert found() == {}


def test_a_tenant_can_have_an_address_of_its_own(settings: Any) -> None:
    settings.TOKENS_STATUS_LIST_URL = lazystr(BASE)
    assert conf.TOKENS_STATUS_LIST_URL == BASE
    assert found() == {}


@pytest.mark.parametrize(
    "base",
    [
        "",
        "/status-lists/",
        "status-lists/",
        "ftp://accounts.example.com/",
        "https://accounts.example.com",
        "https:///status-lists/",
        "https://accounts.example.com/status-lists/?a=/",
        "https://accounts.example.com/#/",
        "https://accounts.example.com/status lists/",
        "https://[accounts/",
    ],
)
def test_an_address_that_no_token_can_name(settings: Any, base: str) -> None:
    settings.TOKENS_STATUS_LIST_URL = base
    messages = found()
    assert list(messages) == ["tokens.E063"]
    assert "https://accounts.example.com/status-lists/" in messages["tokens.E063"].hint


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=0.9), timedelta(hours=2)])
def test_a_ttl_that_is_too_short_or_too_long(settings: Any, ttl: timedelta) -> None:
    settings.TOKENS_STATUS_LIST_TTL = ttl
    messages = found()
    assert list(messages) == ["tokens.E063"]
    assert "one second to one hour" in messages["tokens.E063"].hint


def test_an_algorithm_that_no_other_service_can_verify(settings: Any) -> None:
    settings.TOKENS_ALGORITHM = "HS256"
    messages = found()
    assert list(messages) == ["tokens.E064"]
    assert "rotate_secret --algorithm ES256" in messages["tokens.E064"].hint


def test_a_signing_key_of_the_former_algorithm(settings: Any) -> None:
    settings.TOKENS_ALGORITHM = "HS256"
    SigningKey.objects.all().delete()
    keyring.forget()
    keyring.ensure()
    settings.TOKENS_ALGORITHM = "RS256"
    messages = found()
    assert list(messages) == ["tokens.W072"]
    assert "rotate_secret --algorithm RS256" in messages["tokens.W072"].hint


def test_without_a_signing_key_another_check_reports_it() -> None:
    SigningKey.objects.all().delete()
    keyring.forget()
    assert found() == {}


@pytest.mark.parametrize("base", ["https://accounts.example.com/elsewhere/", "https://a.example/"])
def test_an_address_that_leads_elsewhere(settings: Any, base: str) -> None:
    settings.TOKENS_STATUS_LIST_URL = base
    messages = found()
    assert list(messages) == ["tokens.W073"]
    assert 'include("tokens.status_list.urls")' in messages["tokens.W073"].hint
    settings.ROOT_URLCONF = "config.urls"
    settings.TOKENS_STATUS_LIST_URL = BASE
    assert list(found()) == ["tokens.W073"]
