"""Every page that a person meets: tried for what all must be, and taken pictures of."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

NOBODY, PERSON, STAFF = "nobody", "person", "staff"


def _stay(page: Page) -> None:
    pass


def _wait_for_swagger(page: Page) -> None:
    page.get_by_role("button", name="POST /api/token/refresh/", exact=True).wait_for()


@dataclass(frozen=True, slots=True)
class Shown:
    """
    One page: its name, its address, who reads it, and what to do once it is open.

    {session}, {key} and {user} in the address are the keys of rows of ``tests.browser.people``.
    """

    name: str
    path: str
    reader: str = NOBODY
    then: Callable[[Page], None] = _stay


PAGES = [
    Shown("first-page", "/"),
    Shown("login", "/api/login/?next=/api/sessions/"),
    Shown("api-signed-out", "/api/me/"),
    Shown("api-me", "/api/me/", PERSON),
    Shown("api-password", "/api/me/password/", PERSON),
    Shown("api-sign-in", "/api/token/", PERSON),
    Shown("my-sessions", "/api/sessions/", PERSON),
    Shown("docs", "/api/docs/", then=_wait_for_swagger),
    Shown("admin-login", "/admin/login/"),
    Shown("admin-index", "/admin/", STAFF),
    Shown("admin-sessions", "/admin/tokens/session/", STAFF),
    Shown("admin-session", "/admin/tokens/session/{session}/change/", STAFF),
    Shown("admin-denylist", "/admin/tokens/deniedtoken/", STAFF),
    Shown("admin-keys", "/admin/tokens/signingkey/", STAFF),
    Shown("admin-users", "/admin/accounts/user/", STAFF),
    Shown("admin-user", "/admin/accounts/user/{user}/change/", STAFF),
]
