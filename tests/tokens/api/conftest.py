"""Fixtures of the tests of the API."""

from typing import Any

import pytest
from django.test import Client

from tests.tokens.api import django_site


@pytest.fixture
def django_site_urls(settings: Any) -> None:
    settings.ROOT_URLCONF = django_site.__name__


@pytest.fixture
def browser(user: Any, django_site_urls: None) -> Client:
    browser = Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0")
    browser.get("/become/?name=ada")
    return browser
