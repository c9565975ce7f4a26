"""Cookies as functions set and delete them; what a browser gets: tests/wire/test_cookies.py."""

from typing import Any

import pytest
from django.http import HttpResponse

from tokens import sessions
from tokens.api import cookies

pytestmark = pytest.mark.django_db


def test_an_access_cookie_that_the_response_sets_is_not_deleted(user: Any) -> None:
    response, pair = HttpResponse(), sessions.start(user)
    cookies.set_pair(response, pair)
    cookies.delete_access(response)
    assert response.cookies["latchkey_access"].value == pair.raw_access
