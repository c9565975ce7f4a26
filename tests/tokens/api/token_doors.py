"""Every way to bring a token to the API, and what each one answers."""

from secrets import randbelow
from typing import Any

import pytest
from rest_framework.test import APIClient

from tokens.sessions import TokenPair


class Door:
    """One way to bring a token: ``send`` posts one, and ``put`` says where in the request it is."""

    def __init__(
        self, path: str, put: str, *, type: str = "refresh", good: int = 200, junk: int = 401
    ) -> None:
        self.path, self.put, self.type, self.good, self.junk = path, put, type, good, junk

    def __repr__(self) -> str:
        return f"{self.path} {self.put}"

    @property
    def queries(self) -> int:
        """How many queries are about the caller: an introspection has to be permitted."""
        return 3 if "introspect" in self.path else 0

    def send(self, client: APIClient, raw_token: str) -> Any:
        if self.put == "header":
            return client.post(self.path, HTTP_AUTHORIZATION=f"Bearer {raw_token}")
        if self.put.startswith("cookie"):
            client.cookies[self.put.removeprefix("cookie ")] = raw_token
            return client.post(self.path)
        return client.post(self.path, {self.put: raw_token})

    def send_own(self, client: APIClient, pair: TokenPair) -> Any:
        return self.send(client, raw_of(pair, self.type))


def raw_of(pair: TokenPair, type: str) -> str:
    return pair.raw_access if type == "access" else pair.raw_refresh


LOGOUT = [
    Door(path, put, type=type, good=204, junk=junk)
    for path, by_cookie in (("/api/logout/", 204), ("/api/logout/all/", 401))
    for put, type, junk in (
        ("header", "access", 401),
        ("refresh", "refresh", 401),
        ("cookie latchkey_access", "access", by_cookie),
        ("cookie latchkey_refresh", "refresh", by_cookie),
    )
]
TAKING_BACK = [
    Door("/api/token/revoke/", "token", junk=200),
    Door("/api/token/revoke/", "token", type="access", junk=200),
    Door("/api/token/blacklist/", "refresh"),
    *LOGOUT,
]
PER_SESSION = [
    Door("/api/token/refresh/", "refresh"),
    Door("/api/token/cookie/refresh/", "cookie latchkey_refresh"),
    Door("/api/token/verify/", "token"),
    Door("/api/token/verify/", "token", type="access"),
    Door("/api/token/introspect/", "token", junk=200),
    Door("/api/token/introspect/", "token", type="access", junk=200),
]
DOORS = [*TAKING_BACK, *PER_SESSION]
each_door = pytest.mark.parametrize("door", DOORS, ids=repr)


def fresh_address() -> str:
    """Return an address that no test of any process used, because Redis keeps their counts."""
    return f"10.{randbelow(256)}.{randbelow(256)}.{randbelow(256)}"
