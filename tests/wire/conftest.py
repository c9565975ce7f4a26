from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.support.forging import compact, target_of
from tests.wire.reading import send
from tokens import sessions
from tokens.jose import TokenType, jti_of

Forge = Callable[..., str]
SignIn = Callable[[str], APIClient]

CREDENTIALS = {"username": "ada", "password": PASSWORD}


@pytest.fixture
def bearer(api: APIClient) -> SignIn:
    """Return a client that sends this access token."""

    def sign_in(raw_access: str) -> APIClient:
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {raw_access}")
        return api

    return sign_in


@pytest.fixture
def browser(user: Any) -> APIClient:
    """Return a client that keeps cookies and sends the CSRF token that it received."""
    client = APIClient(enforce_csrf_checks=True)
    token = client.get("/api/token/cookie/").json()["csrf_token"]
    client.credentials(HTTP_X_CSRFTOKEN=token)
    return client


def sign_in(client: APIClient) -> Any:
    """Sign ``user`` in by cookie."""
    answer = client.post("/api/token/cookie/", CREDENTIALS)
    assert answer.status_code == 200, answer.content
    # Signing in replaced the CSRF token, as Django's own sign-in does.
    client.credentials(HTTP_X_CSRFTOKEN=client.cookies["csrftoken"].value)
    return answer


def credentials_of(client: APIClient) -> dict[str, str]:
    """Return the headers that the client sends with each request."""
    headers = client._credentials  # type: ignore[attr-defined]  # The stub lacks it.
    return dict(headers)


@pytest.fixture
def expired(user: Any) -> sessions.TokenPair:
    """Return a pair whose access token has expired and whose refresh token is valid."""
    return sessions.start(user, now=datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture
def forge(user: Any) -> Forge:
    """Return a function that makes tokens with a valid signature and one fault."""
    pair = sessions.start(user)

    def make(
        *,
        header: dict[str, Any] | None = None,
        claims: dict[str, Any] | None = None,
        drop: tuple[str, ...] = (),
        refresh: bool = False,
        generation: int | None = None,
    ) -> str:
        target = target_of(pair.raw_refresh if refresh else pair.raw_access)
        head = {**target.header, **(header or {})}
        members = {**target.claims, **(claims or {})}
        if generation is not None:
            jti = jti_of(pair.session.pk, generation, TokenType.REFRESH)
            members.update(gen=generation, jti=jti)
        for name in drop:
            head.pop(name, None)
            members.pop(name, None)
        return compact(head, members, target.own)

    return make


@pytest.fixture
def reader(user: Any) -> APIClient:
    """Return a browser without scripts in which ``user`` has signed in."""
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_ACCEPT="text/html")
    client.get("/api/login/")
    assert send(client, "/api/login/", **CREDENTIALS).status_code == 302
    return client
