"""The requests and commands that a token or a password passes through."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.core.management import call_command
from rest_framework.test import APIClient

from tokens import sessions
from tokens.api import cookies
from tokens.client.cookie import full_name

PASSWORD = "Tr0ub4dor-and-3-horses"
WRONG_PASSWORD = "Tr0ub4dor-and-4-horses"
NEW_PASSWORD = "a-battery-of-7-staples"
CSRF_TOKEN = "x" * 32


@dataclass
class Visit:
    """A user who is signed in, and a browser."""

    client: APIClient = field(
        default_factory=lambda: APIClient(enforce_csrf_checks=True, raise_request_exception=False)
    )

    def __post_init__(self) -> None:
        users = get_user_model().objects
        self.user: Any = users.create_superuser(
            f"ada-{uuid4()}", f"{uuid4()}@example.org", PASSWORD
        )
        self.pair = sessions.start(self.user)
        self.access, self.refresh = self.pair.raw_access, self.pair.raw_refresh
        self.other = sessions.start(self.user).session.pk

    @property
    def secrets(self) -> list[str]:
        return [self.access, self.refresh]

    def bearer(self) -> None:
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.access}")

    def cookies(self) -> None:
        for name in (cookies.ACCESS, cookies.REFRESH):
            self.client.cookies[full_name(name)] = (
                self.access if name == cookies.ACCESS else self.refresh
            )

    def of_django(self) -> None:
        self.client.force_login(self.user)

    def post(self, path: str, data: Any = None, format: str = "json", **headers: Any) -> Any:
        self.client.cookies["csrftoken"] = CSRF_TOKEN
        return self.client.post(path, data, format=format, HTTP_X_CSRFTOKEN=CSRF_TOKEN, **headers)

    def credentials(self, password: str = PASSWORD) -> dict[str, str]:
        return {"username": self.user.get_username(), "password": password}


def _bearer(use: Callable[[Visit], Any]) -> Callable[[Visit], Any]:
    def door(visit: Visit) -> Any:
        visit.bearer()
        return use(visit)

    return door


def _cookies(use: Callable[[Visit], Any]) -> Callable[[Visit], Any]:
    def door(visit: Visit) -> Any:
        visit.cookies()
        return use(visit)

    return door


def _admin(use: Callable[[Visit], Any]) -> Callable[[Visit], Any]:
    def door(visit: Visit) -> Any:
        visit.of_django()
        return use(visit)

    return door


def _body(path: str, format: str = "json", **names: str) -> Callable[[Visit], Any]:
    """Return a door that takes members of the visit, such as its refresh token, in the body."""

    def door(visit: Visit) -> Any:
        return visit.post(path, {key: getattr(visit, name) for key, name in names.items()}, format)

    return door


def _password(format: str) -> Callable[[Visit], Any]:
    return lambda visit: visit.post(
        "/api/me/password/",
        {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        format,
    )


def _admin_login(visit: Visit) -> Any:
    return visit.post("/admin/login/?next=/admin/", visit.credentials(), "multipart")


def _explain(visit: Visit) -> Any:
    stdin = mock.Mock(isatty=lambda: False, buffer=io.BytesIO(visit.refresh.encode()))
    with mock.patch("sys.stdin", stdin):
        call_command("explain_token", stdout=io.StringIO())


def _rotate(visit: Visit) -> Any:
    call_command("rotate_secret", "--revoke-previous", "--no-input", stdout=io.StringIO())


# Django reads a body of this type before DRF does, where it looks for the CSRF token.
FORM = "multipart"
HTML: Any = {"HTTP_ACCEPT": "text/html"}

# Shows that a leak would be found.
LEAK: dict[str, Callable[[Visit], Any]] = {
    "a leak": lambda visit: visit.post(
        "/api/leak/", {"word": PASSWORD, "refreshed": visit.refresh}, FORM
    )
}
DOORS: dict[str, Callable[[Visit], Any]] = {
    "sign-in": lambda visit: visit.post("/api/token/", visit.credentials()),
    "sign-in by form": lambda visit: visit.post("/api/token/", visit.credentials(), FORM),
    "sign-in in a browser": lambda visit: visit.post("/api/token/", visit.credentials(), **HTML),
    "sign-in with a wrong password": lambda visit: visit.post(
        "/api/token/", visit.credentials(WRONG_PASSWORD)
    ),
    "cookie sign-in": lambda visit: visit.post("/api/token/cookie/", visit.credentials()),
    "cookie sign-in by form": lambda visit: visit.post(
        "/api/token/cookie/", visit.credentials(), FORM
    ),
    "sign-in page": lambda visit: visit.post("/api/login/", visit.credentials(), FORM, **HTML),
    "sign-in page with a wrong password": lambda visit: visit.post(
        "/api/login/", visit.credentials(WRONG_PASSWORD), FORM, **HTML
    ),
    "refresh": _body("/api/token/refresh/", refresh="refresh"),
    "refresh by form": _body("/api/token/refresh/", FORM, refresh="refresh"),
    "refresh with an access token beside it": _bearer(
        _body("/api/token/refresh/", refresh="refresh")
    ),
    "refresh with a member too many": _body(
        "/api/token/refresh/", refresh="refresh", access="access"
    ),
    "cookie refresh": _cookies(lambda visit: visit.post("/api/token/cookie/refresh/")),
    "verify an access token": _body("/api/token/verify/", token="access"),
    "verify a refresh token": _body("/api/token/verify/", token="refresh"),
    "revoke an access token": _body("/api/token/revoke/", token="access"),
    "revoke a refresh token": _body("/api/token/revoke/", FORM, token="refresh"),
    "blacklist": _body("/api/token/blacklist/", refresh="refresh"),
    "introspect": _bearer(_body("/api/token/introspect/", token="refresh")),
    "logout": _bearer(lambda visit: visit.post("/api/logout/")),
    "logout by body": _body("/api/logout/", refresh="refresh"),
    "logout by cookie": _cookies(lambda visit: visit.post("/api/logout/")),
    "logout by page": _cookies(lambda visit: visit.post("/api/logout/page/", **HTML)),
    "logout everywhere": _bearer(lambda visit: visit.post("/api/logout/all/")),
    "logout everywhere by body": _body("/api/logout/all/", refresh="refresh"),
    "logout everywhere by cookie": _cookies(lambda visit: visit.post("/api/logout/all/")),
    "sessions": _bearer(lambda visit: visit.client.get("/api/sessions/")),
    "sessions in a browser": _cookies(lambda visit: visit.client.get("/api/sessions/", **HTML)),
    "end a session": _bearer(lambda visit: visit.client.delete(f"/api/sessions/{visit.other}/")),
    "name a device": _bearer(
        lambda visit: visit.client.patch(f"/api/sessions/{visit.other}/", {"name": "x"})
    ),
    "logout of the others": _bearer(lambda visit: visit.post("/api/logout/others/")),
    "form of the sessions": _cookies(
        lambda visit: visit.post("/api/sessions/page/", {"do": "others"}, FORM, **HTML)
    ),
    "page to continue": _cookies(lambda visit: visit.post("/api/login/continue/", **HTML)),
    "password in a browser": _cookies(lambda visit: visit.client.get("/api/me/password/", **HTML)),
    "me": _bearer(lambda visit: visit.client.get("/api/me/")),
    "me by cookie": _cookies(lambda visit: visit.client.get("/api/me/")),
    "password": _bearer(_password("json")),
    "password by form": _bearer(_password(FORM)),
    "password by cookie": _cookies(_password("json")),
    "a view of the project": _bearer(lambda visit: visit.client.get("/api/report/")),
    "a view of the project by cookie": _cookies(lambda visit: visit.client.get("/api/report/")),
    "admin's login": _admin_login,
    "admin's search": _admin(
        lambda visit: visit.post("/admin/tokens/session/find/", {"q": visit.refresh}, FORM)
    ),
    "admin's search for a denial": _admin(
        lambda visit: visit.post("/admin/tokens/deniedtoken/find/", {"q": visit.access}, FORM)
    ),
    "admin's denial": _admin(
        lambda visit: visit.post(
            "/admin/tokens/deniedtoken/add/", {"token": visit.refresh, "reason": "stolen"}, FORM
        )
    ),
    "explain_token": _explain,
    "rotate_secret": _rotate,
}
