"""Send one refresh token from fifty callers at once, as a client's tabs and retries do."""

import json
import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application
from oauth2_provider.models import RefreshToken as OAuthRefreshToken
from rest_framework_simplejwt.tokens import RefreshToken

from tokens import sessions

from . import peers
from .http import Server
from .serving import serving

CALLERS = 50
TIMES = 5

Result = dict[str, list[int]]


def run(user: Any) -> dict[str, Result]:
    """
    Return what the callers got, by contender; each list has one number per repetition.

    ``answered`` is how many got a token, ``successors`` how many different tokens they got, and
    ``signed_in`` how many could refresh once more with them. A refused caller counts as signed out,
    because clients treat a refusal that way.
    """
    contenders = {
        "latchkey": _JSON("/api/token/refresh/", lambda: sessions.start(user).raw_refresh),
        "simplejwt-blacklist": _JSON(
            "/simplejwt/refresh/", lambda: str(RefreshToken.for_user(user))
        ),
        "allauth": _JSON(
            "/_allauth/app/v1/tokens/refresh",
            lambda: peers.allauth_refresh_token(user),
            key="refresh_token",
        ),
        "oauth-toolkit": _OAuth(user),
    }
    results: dict[str, Result] = {}
    with serving("strict", workers=2) as server:
        for name, contender in contenders.items():
            result = results[name] = {"answered": [], "successors": [], "signed_in": []}
            for _ in range(TIMES):
                raw_refresh = contender.sign_in()
                connection.close()
                held = _at_once(partial(contender.refresh, server, raw_refresh))
                result["answered"].append(len(held))
                result["successors"].append(len(set(held)))
                again = [contender.refresh(server, raw) for raw in held]
                result["signed_in"].append(sum(raw is not None for raw in again))
    return results


def _at_once(refresh: Callable[[], str | None]) -> list[str]:
    """Refresh from all callers at once, and return the tokens that they got."""
    held: list[str | None] = []
    ready = threading.Barrier(CALLERS)

    def call() -> None:
        ready.wait()
        held.append(refresh())

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == CALLERS
    return [raw for raw in held if raw is not None]


class _JSON:
    """A contender that takes and returns the token in JSON, under ``key``."""

    content_type = "application/json"

    def __init__(self, path: str, sign_in: Callable[[], str], *, key: str = "refresh") -> None:
        self.path, self.sign_in, self.key = path, sign_in, key

    def refresh(self, server: Server, raw_refresh: str) -> str | None:
        """Return the new refresh token, or None if the server refuses."""
        link = HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            link.request(
                "POST", self.path, self.body(raw_refresh), {"Content-Type": self.content_type}
            )
            answer = link.getresponse()
            members = answer.read()
            if answer.status != 200:
                return None
            found = json.loads(members)
            return str(found.get("data", found)[self.key])
        finally:
            link.close()

    def body(self, raw_refresh: str) -> str:
        return json.dumps({self.key: raw_refresh})


class _OAuth(_JSON):
    """The refresh grant of RFC 6749 §6, for a public client."""

    content_type = "application/x-www-form-urlencoded"

    def __init__(self, user: Any) -> None:
        super().__init__("/o/token/", self._sign_in, key="refresh_token")
        self.user = user
        self.client, _ = Application.objects.get_or_create(
            name="bench",
            client_type=Application.CLIENT_PUBLIC,
            authorization_grant_type=Application.GRANT_PASSWORD,
        )

    def _sign_in(self) -> str:
        access = AccessToken.objects.create(
            user=self.user,
            application=self.client,
            token=secrets.token_urlsafe(30),
            expires=timezone.now() + timedelta(hours=1),
            scope="read",
        )
        raw_refresh = secrets.token_urlsafe(30)
        OAuthRefreshToken.objects.create(
            user=self.user, application=self.client, token=raw_refresh, access_token=access
        )
        return raw_refresh

    def body(self, raw_refresh: str) -> str:
        return urlencode(
            {
                "grant_type": "refresh_token",
                "refresh_token": raw_refresh,
                "client_id": self.client.client_id,
            }
        )
