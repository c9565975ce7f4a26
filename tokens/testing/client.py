"""DRF's APIClient, signed in with tokens."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from rest_framework.test import APIClient

from ..client import Client
from ..sessions import TokenPair
from .held import HeldSession, sign_in


class TokenClient(APIClient):
    """
    An APIClient that sends the tokens of one session, by header or by cookie.

    ``held`` is that session, or None. A header ``Authorization`` that a test passes itself is sent in
    place of the client's own.
    """

    held: HeldSession | None = None
    _by_cookie = False

    def sign_in(
        self,
        user: Any,
        *,
        claims: Mapping[str, Any] | None = None,
        idle: timedelta | None = None,
        absolute: timedelta | None = None,
    ) -> TokenPair:
        """
        Sign the user in without a password and without a request, and send the tokens by header.

        The arguments are those of ``sessions.start``. Raises what it raises, such as UserInactive.
        """
        return self._hold(user, False, claims=claims, idle=idle, absolute=absolute)

    def sign_in_by_cookie(
        self,
        user: Any,
        *,
        claims: Mapping[str, Any] | None = None,
        idle: timedelta | None = None,
        absolute: timedelta | None = None,
    ) -> TokenPair:
        """
        Sign the user in as a browser that keeps the tokens in cookies. Otherwise as ``sign_in``.

        The client also gets Django's CSRF token, and sends it, so that it works with
        ``enforce_csrf_checks=True``.
        """
        return self._hold(user, True, claims=claims, idle=idle, absolute=absolute)

    @property
    def pair(self) -> TokenPair:
        """The tokens: ``raw_access`` and ``raw_refresh``."""
        return self._held().pair

    def refresh(self) -> TokenPair:
        """Exchange the refresh token as a client does; see ``HeldSession.refresh``."""
        pair = self._held().refresh()
        self._send()
        return pair

    def age(self, by: timedelta) -> None:
        """Make the session and its tokens older, as if this time had passed."""
        self._held().age(by)
        self._send()

    def expire_access(self) -> None:
        """Let the access token expire, but not the refresh token."""
        self._held().expire_access()
        self._send()

    def expire_refresh(self) -> None:
        """Let the refresh token expire, and the access token with it."""
        self._held().expire_refresh()
        self._send()

    def expire_session(self) -> None:
        """Let the session reach its absolute limit."""
        self._held().expire_session()
        self._send()

    def revoke_access(self) -> None:
        """Revoke the access token alone. The client still sends it."""
        self._held().revoke_access()

    def revoke(self) -> None:
        """Revoke the session, as staff do. The client still sends its tokens."""
        self._held().revoke()

    def revoke_user(self) -> None:
        """Revoke every session of the user, as staff do. The client still sends its tokens."""
        self._held().revoke_user()

    def sign_out(self) -> None:
        """End the session, as its user does. The client then sends no tokens."""
        self._held().sign_out()
        self._drop()

    def logout(self) -> None:
        """Send no tokens any more, and no credentials; see DRF's APIClient. The session goes on."""
        self._drop()
        super().logout()

    def request(self, **kwargs: Any) -> Any:
        if self.held and not self._by_cookie:
            kwargs.setdefault("HTTP_AUTHORIZATION", self.held.headers["Authorization"])
        return super().request(**kwargs)

    def _hold(self, user: Any, by_cookie: bool, **how: Any) -> TokenPair:
        self._drop()
        client = Client(
            ip_address=self.defaults.get("REMOTE_ADDR", "127.0.0.1"),
            user_agent=self.defaults.get("HTTP_USER_AGENT", ""),
        )
        self.held, self._by_cookie = sign_in(user, client=client, **how), by_cookie
        if by_cookie:
            request = HttpRequest()
            self.defaults[settings.CSRF_HEADER_NAME] = get_token(request)
            self.cookies[settings.CSRF_COOKIE_NAME] = request.META["CSRF_COOKIE"]
        self._send()
        return self.held.pair

    def _held(self) -> HeldSession:
        if self.held is None:
            raise RuntimeError("The client is not signed in. Call sign_in(user) first.")
        return self.held

    def _send(self) -> None:
        if self._by_cookie:
            for name, value in self._held().cookies.items():
                self.cookies[name] = value

    def _drop(self) -> None:
        if self.held and self._by_cookie:
            for name in (*self.held.cookies, settings.CSRF_COOKIE_NAME):
                self.cookies.pop(name, None)
            self.defaults.pop(settings.CSRF_HEADER_NAME, None)
        self.held, self._by_cookie = None, False
