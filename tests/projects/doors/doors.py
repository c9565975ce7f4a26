"""The doors: how to try a password at each, and what each answers."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
ALLAUTH = "allauth.account.auth_backends.AuthenticationBackend"

CSRF_TOKEN = "x" * 32

Knock = Callable[[Client, str, str, str], Any]


@dataclass(frozen=True)
class Door:
    """One way to sign in."""

    # Try a password: of the client, the name and the password, from the address.
    knock: Knock
    # The statuses of the answers to a right password, and to a wrong one.
    right: int = 200
    wrong: int = 401
    # Which name of the user it takes.
    by: str = "username"
    # The backend of the session of Django that a right password starts.
    logs_in_by: str = ""
    # How many more passwords are checked here when the account's count is full, and let in staff only.
    reserved: int = 0
    # The answer over the limit is this app's own, with or without the middleware.
    of_this_app: bool = False

    def name_of(self, username: str) -> str:
        return f"{username}@example.org" if self.by == "email" else username


def _json(path: str, field: str = "username") -> Knock:
    def knock(client: Client, name: str, password: str, address: str) -> Any:
        body = {field: name, "password": password}
        return client.post(path, body, "application/json", REMOTE_ADDR=address)

    return knock


class _Browser(AsyncClient):
    """Sends requests under ASGI, from this address."""

    def __init__(self, address: str, cookies: SimpleCookie) -> None:
        super().__init__(raise_request_exception=False)
        self.address, self.cookies = address, cookies

    def _base_scope(self, **request: Any) -> Any:
        return super()._base_scope(  # type: ignore[misc]  # The stubs do not have it.
            client=(self.address, 1), **request
        )


def _json_under_asgi(path: str) -> Knock:
    def knock(client: Client, name: str, password: str, address: str) -> Any:
        browser = _Browser(address, client.cookies)
        body = {"username": name, "password": password}
        return async_to_sync(browser.post)(path, body, "application/json")

    return knock


def _form(path: str, field: str = "username") -> Knock:
    def knock(client: Client, name: str, password: str, address: str) -> Any:
        return client.post(path, {field: name, "password": password}, REMOTE_ADDR=address)

    return knock


def _basic(path: str) -> Knock:
    def knock(client: Client, name: str, password: str, address: str) -> Any:
        credentials = b64encode(f"{name}:{password}".encode()).decode()
        return client.get(path, REMOTE_ADDR=address, HTTP_AUTHORIZATION=f"Basic {credentials}")

    return knock


def _cookie(client: Client, name: str, password: str, address: str) -> Any:
    client.cookies["csrftoken"] = CSRF_TOKEN
    return client.post(
        "/api/token/cookie/",
        {"username": name, "password": password},
        "application/json",
        REMOTE_ADDR=address,
        HTTP_X_CSRFTOKEN=CSRF_TOKEN,
    )


DOORS = {
    "dj-rest-auth": Door(_json("/dj-rest-auth/login/"), wrong=400, logs_in_by=MODEL_BACKEND),
    "dj-rest-auth, email": Door(
        _json("/dj-rest-auth/login/", "email"), wrong=400, by="email", logs_in_by=ALLAUTH
    ),
    "djoser": Door(_json("/djoser/token/login/"), wrong=400),
    "allauth": Door(
        _form("/accounts/login/", "login"), right=302, wrong=200, logs_in_by=MODEL_BACKEND
    ),
    "allauth, email": Door(
        _form("/accounts/login/", "login"), right=302, wrong=200, by="email", logs_in_by=ALLAUTH
    ),
    "ninja": Door(_json("/ninja/login/"), logs_in_by=MODEL_BACKEND),
    "ninja, ASGI": Door(_json_under_asgi("/ninja/login/"), logs_in_by=MODEL_BACKEND),
    "ninja, basic": Door(_basic("/ninja/basic/")),
    "admin": Door(
        _form("/admin/login/"), right=302, wrong=200, logs_in_by=MODEL_BACKEND, reserved=10
    ),
    "DRF, basic": Door(_basic("/basic/")),
    "Django, email": Door(_json("/email/", "email"), by="email", logs_in_by=ALLAUTH),
    "Django, async": Door(_json("/async/"), logs_in_by=MODEL_BACKEND),
    "Django, async, ASGI": Door(_json_under_asgi("/async/"), logs_in_by=MODEL_BACKEND),
    "sign_in.authenticate": Door(_json("/app/"), logs_in_by=MODEL_BACKEND, of_this_app=True),
    "token": Door(_json("/api/token/"), of_this_app=True),
    "cookie": Door(_cookie, of_this_app=True),
    "page": Door(_form("/api/login/"), right=302, wrong=401, of_this_app=True),
}

# Views that fail after each attempt, which ends their transaction.
FAILING = {
    "failing": Door(_json("/failing/"), right=500, wrong=500),
    "failing inside": Door(_json("/failing/inside/"), right=500, wrong=500),
    "failing DRF": Door(_json("/failing/api/"), right=403, wrong=403),
}
