"""What the tests of ``tokens.testing`` do with a client."""

from collections.abc import Callable

from rest_framework.test import APIClient

from tokens.testing import TokenClient

SignIn = Callable[..., TokenClient]


def status(client: APIClient) -> int:
    return int(client.get("/api/me/").status_code)
