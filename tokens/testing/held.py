"""A session, and the pair of tokens that its client holds."""

from collections.abc import Mapping
from copy import copy
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model

from .. import clock, denylist, sessions
from ..api import cookies
from ..client import Client
from ..client.cookie import full_name
from ..conf import conf
from ..models import EndReason, Session
from ..sessions import TokenPair, pairs
from .process import ensure_signing_key, write_notes

# After a lifetime and the leeway, a token is refused.
_AFTERWARDS = timedelta(seconds=1)


def sign_in(
    user: Any,
    *,
    claims: Mapping[str, Any] | None = None,
    idle: timedelta | None = None,
    absolute: timedelta | None = None,
    client: Client | None = None,
) -> "HeldSession":
    """
    Sign the user in without a password and without a request, and return the new session.

    The arguments are those of ``sessions.start``. Raises what it raises, such as UserInactive.
    """
    ensure_signing_key()
    client = client or Client()
    return HeldSession(
        sessions.start(user, claims=claims, idle=idle, absolute=absolute, client=client), client
    )


class HeldSession:
    """
    A session, and the pair of tokens that its client holds.

    ``pair`` has the tokens: ``pair.raw_access`` and ``pair.raw_refresh``. ``client`` is who refreshes.
    """

    def __init__(self, pair: TokenPair, client: Client) -> None:
        self.pair = pair
        self.client = client

    @property
    def session(self) -> Session:
        """The session's row, as the database has it now."""
        return Session.objects.get(pk=self.pair.session.pk)

    @property
    def headers(self) -> dict[str, str]:
        """The header of a request with the access token, for any client of Django's or DRF's."""
        return {"Authorization": f"Bearer {self.pair.raw_access}"}

    @property
    def cookies(self) -> dict[str, str]:
        """The two cookies of a browser that has signed in."""
        return {
            full_name(cookies.ACCESS): self.pair.raw_access,
            full_name(cookies.REFRESH): self.pair.raw_refresh,
        }

    def refresh(self) -> TokenPair:
        """
        Exchange the refresh token as a client does, and hold the answer.

        Raises the TokenError of a refusal. As in production, a session rotates once within
        TOKENS_REFRESH_GRACE, and the same pair comes again in that time: ``age`` it first.
        """
        write_notes()
        self.pair = sessions.refresh(self.pair.raw_refresh, client=self.client)
        return self.pair

    def age(self, by: timedelta) -> None:
        """
        Make the session and the tokens that its client holds older, as if this time had passed.

        Other sessions, the clock and tokens held elsewhere do not change.
        """
        write_notes()
        row = self.session
        user = get_user_model()._base_manager.filter(pk=row.user_id)
        cut_off = user.values_list(denylist.latest_cut_off(), flat=True)[0]
        # A cut-off that did not refuse the session must not refuse it afterwards.
        is_cut_off = cut_off is not None and row.started_at < cut_off
        begun = row.started_at - by
        row.started_at = begun if is_cut_off else denylist.begin_after(begun, cut_off)
        row.refreshed_at -= by
        row.idle_until -= by
        row.expires_at -= by
        if row.repeated_at is not None:
            row.repeated_at -= by
        row.save(
            update_fields=["started_at", "refreshed_at", "idle_until", "expires_at", "repeated_at"]
        )
        held = copy(row)
        held.generation = self.pair.session.generation
        self.pair = pairs.issue(held, now=self.pair.answered_at - by)

    def expire_access(self) -> None:
        """Let the access token expire, but not the refresh token, unless that lives no longer."""
        self._age_until(self.pair.access_expires_at)

    def expire_refresh(self) -> None:
        """Let the refresh token expire, and the access token with it: the session was idle."""
        self._age_until(self.pair.refresh_expires_at)

    def expire_session(self) -> None:
        """Let the session reach its absolute limit."""
        self._age_until(self.session.expires_at)

    def revoke_access(self) -> None:
        """Revoke the access token alone. A refresh gets another pair."""
        sessions.revoke(self.pair.raw_access, client=self.client)

    def revoke(self) -> None:
        """Revoke the session with all its tokens, as staff do."""
        sessions.end([self.session], reason=EndReason.REVOKED)

    def revoke_user(self) -> None:
        """Revoke every session of the user, as staff do."""
        sessions.revoke_user(self.session.user, note="revoked by a test")

    def sign_out(self) -> None:
        """End the session, as its user does."""
        sessions.end([self.session], reason=EndReason.LOGOUT, client=self.client)

    def _age_until(self, expires_at: Any) -> None:
        left = expires_at - clock.now() + conf.TOKENS_LEEWAY + _AFTERWARDS
        self.age(max(left, timedelta()))
