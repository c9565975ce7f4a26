"""A cookie that another host of the domain can set is not read as the session of the admin."""

from typing import Any

import pytest
from django.test import Client

from tests.wire.test_planted_cookies import DISGUISES

# Without a prefix, the name is one that any host may set.
PLANTED = [
    disguise for disguise in DISGUISES if disguise.endswith("__Host-") and disguise != "__Host-"
]


@pytest.fixture
def staff_cookies(settings: Any, django_user_model: Any) -> dict[str, str]:
    """Return the cookies of a staff member, under the names for HTTPS."""
    settings.SESSION_COOKIE_NAME = "__Host-sessionid"
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("grace"))
    return {name: morsel.value for name, morsel in client.cookies.items()}


def status_of_admin(*pairs: str) -> int:
    # A server passes the bytes of the header to the application, one character per byte.
    header = "; ".join(pairs).encode().decode("latin-1")
    return Client().get("/admin/", HTTP_COOKIE=header).status_code


def test_the_sites_own_cookie_is_read_beside_any_others(staff_cookies: dict[str, str]) -> None:
    own = f"__Host-sessionid={staff_cookies['__Host-sessionid']}"
    assert status_of_admin(own) == 200
    assert status_of_admin("theme=dark", own, "a", "=b", "café=1", "[x]=1", "") == 200


@pytest.mark.parametrize("disguise", PLANTED)
def test_a_planted_cookie_is_no_session(staff_cookies: dict[str, str], disguise: str) -> None:
    assert status_of_admin(f"{disguise}sessionid={staff_cookies['__Host-sessionid']}") == 302
