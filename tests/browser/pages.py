"""Every page that a user sees. The tests check them, and the screenshots show them."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

NOBODY, PERSON, STAFF = "nobody", "person", "staff"

# What axe reports in markup of Django. Lists: a "Show all" link marked only by its colour. Others:
# labels on hints, which ARIA forbids, and parts of a date without a label.
LIST = ("link-in-text-block",)
DJANGO = ("aria-prohibited-attr", "label")


def _stay(page: Page) -> None:
    pass


def _wait_for_swagger(page: Page) -> None:
    page.get_by_role("button", name="Refresh the tokens").first.wait_for()


def _open_all(page: Page) -> None:
    """Open everything that is folded away."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def _try_out(page: Page) -> None:
    _wait_for_swagger(page)
    page.get_by_role("button", name="Refresh the tokens").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").wait_for()


@dataclass(frozen=True, slots=True)
class Shown:
    """
    One page: its name, its path, who reads it, and what to do once it is open.

    ``but`` names the rules of axe that markup of other packages violates. {session}, {incident} and
    {user} in the path are keys of the dict that ``tests.browser.people.settle`` returns.
    """

    name: str
    path: str
    reader: str = NOBODY
    then: Callable[[Page], None] = _stay
    but: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Return whether no markup of the admin is on the page."""
        return not self.path.startswith("/admin/")


PAGES = [
    Shown("first-page", "/"),
    Shown("login", "/api/login/?next=/api/sessions/"),
    Shown("api-signed-out", "/api/me/"),
    Shown("api-me", "/api/me/", PERSON),
    Shown("api-password", "/api/me/password/", PERSON),
    Shown("api-sign-in", "/api/token/", PERSON),
    Shown("my-sessions", "/api/sessions/", PERSON),
    Shown("my-sessions-open", "/api/sessions/", PERSON, then=_open_all),
    Shown("docs", "/api/docs/", then=_wait_for_swagger),
    Shown("docs-open", "/api/docs/", then=_try_out),
    Shown("admin-login", "/admin/login/"),
    Shown("admin-index", "/admin/", STAFF),
    Shown("admin-sessions", "/admin/tokens/session/", STAFF),
    Shown("admin-session", "/admin/tokens/session/{session}/change/", STAFF),
    Shown("admin-incident", "/admin/tokens/session/{incident}/change/", STAFF),
    Shown("admin-revoke", "/admin/tokens/session/{session}/revoke/", STAFF),
    Shown("admin-denylist", "/admin/tokens/deniedtoken/", STAFF),
    Shown("admin-deny", "/admin/tokens/deniedtoken/add/", STAFF),
    Shown("admin-keys", "/admin/tokens/signingkey/", STAFF),
    Shown("admin-rotate", "/admin/tokens/signingkey/rotate/", STAFF),
    Shown("admin-users", "/admin/accounts/user/", STAFF, but=LIST),
    Shown("admin-user", "/admin/accounts/user/{user}/change/", STAFF, but=DJANGO),
    Shown("admin-sign-out", "/admin/accounts/user/{user}/sign-out/", STAFF),
]
