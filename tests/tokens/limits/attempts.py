"""Attempts to sign in, and an attacker who guesses at an account from many addresses."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from rest_framework.test import APIClient

from tests.conftest import PASSWORD

HOME, ELSEWHERE = "192.0.2.1", "203.0.113.7"
checked: list[str] = []


class Counting(MD5PasswordHasher):
    """Remembers the passwords that it checked."""

    def encode(self, password: str, salt: str) -> str:
        checked.append(password)
        return super().encode(password, salt)


def tries(address: str, *, name: str = "ada", password: str = "wrong") -> Any:
    body = {"username": name, "password": password}
    return APIClient().post("/api/token/", body, REMOTE_ADDR=address)


def sign_in_to_the_admin(address: str, client: Client | None = None, **changes: str) -> Any:
    body = {"username": "ada", "password": PASSWORD, "next": "/admin/", **changes}
    return (client or Client()).post("/admin/login/", body, REMOTE_ADDR=address)


def addresses() -> Iterator[str]:
    return (f"198.51.{number}.7" for number in range(1, 255))


places = cycle(addresses())


def attack(name: str = "ada") -> None:
    """Try wrong passwords of one account from many addresses, until its limit is reached."""
    while tries(next(places), name=name).status_code == 401:
        pass
