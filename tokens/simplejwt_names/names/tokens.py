"""
The token classes. A new token is signed when it is first turned into text.

Until then claims and lifetimes can be set, and they become those of the session, which begins at that
moment. An access token that is changed is signed anew for the same session.
"""

from datetime import timedelta
from typing import Any, Self

from django.utils.translation import gettext_lazy as _

from ... import sessions
from ...conf import conf
from ...jose import Claims, TokenType, generation_of
from ...models import Session
from ...secret import Secret, hides_locals
from ...sessions import Authenticated, TokenPair
from .. import issuing, records
from ..claims import ClaimsMapping
from .exceptions import TokenError
from .settings import api_settings
from .utils import aware_utcnow, datetime_from_epoch, datetime_to_epoch, logger


class Token(ClaimsMapping):
    """
    One token. ``str(token)`` is its text.

    ``Token(raw)`` raises TokenError unless the token is good now: its signature, its times and type, its
    session and its user. ``verify`` False reads an expired or revoked token, of which no other can be
    made; the signature is verified in any case.
    """

    def __init__(self, token: Any = None, verify: bool = True) -> None:
        if self.token_type is None or self.lifetime is None:
            raise TokenError(_("Cannot create token with no type or lifetime"))
        self.current_time = aware_utcnow()
        self.payload: dict[str, Any] = {}
        self._user: Any = None
        self._raw: Secret[str] | None = None
        self._signed: dict[str, Any] | None = None  # the claims for which _raw was signed
        self._claims: Claims | None = None  # of a token that was read
        self._found: Authenticated | None = None
        self._own: Session | None = None  # the session that this token has begun
        if token is None:
            self.payload[issuing.type_claim()] = self.token_type
            self.set_exp(from_time=self.current_time, lifetime=self.lifetime)
            self.set_iat(at_time=self.current_time)
            self.set_jti()
        else:
            self._open(_as_secret(token), verify=verify)

    @hides_locals
    def _open(self, raw_token: Secret[str], *, verify: bool) -> None:
        self._raw = raw_token
        claims, found = issuing.read(raw_token, verify=verify, look=self._look)
        self._claims, self.payload = claims, issuing.payload_of(claims)
        if verify:
            self.verify()
            self._found = found or issuing.judge(raw_token, claims, look=self._look)
            if self._found:
                self.payload = issuing.completed(self.payload, claims, self._found)
        self._signed = dict(self.payload)

    def _look(self, raw_token: Secret[str]) -> Authenticated:
        """Return what the token stands for. Raises TokenError of this app."""
        return sessions.authenticate(raw_token)

    @property
    def token(self) -> str | None:
        """The text that the token was made from, None for a new one."""
        return None if self._claims is None or self._raw is None else self._raw.reveal()

    @property
    def user(self) -> Any:
        """The user of a token that was read; in snapshot mode loaded at first use. Else None."""
        return self._found.user if self._found else None

    @hides_locals
    def __str__(self) -> str:
        if self._raw is None or self._signed != self.payload:
            raw_token, self.payload["jti"] = self._sign()
            self._raw, self._signed = Secret(raw_token), dict(self.payload)
        return self._raw.reveal()

    def _sign(self) -> tuple[str, str]:
        """Return the token and its ``jti``, for a session if the claims name a user."""
        session = self._session()
        if session and issuing.can_hold(session, self.until()):
            generation = generation_of(self._claims) if self._claims else 0
            return issuing.sign_access(session, self.payload, generation=generation)
        user = self._user_for_new_session()
        if user is None:
            return issuing.sign_statement(self.payload)
        lasts = datetime_from_epoch(self._lasts_until()) - aware_utcnow()
        self._own = issuing.issue_alone(user, self.payload, lasts=lasts, sid=self.sid)
        return issuing.sign_access(self._own, self.payload, generation=0)

    def _session(self) -> Session | None:
        """Return the session, which may be loaded, and refused, only now."""
        with issuing.refusals():
            return self._found.session if self._found else self._own

    def _user_for_new_session(self) -> Any:
        """Return the user whom the claims name. Raises TokenError for a token that was not verified."""
        if self._claims and not self._found:
            issuing.require_statement(self._claims)
        user = issuing.find_user(self.payload, self._user)
        if user is not None and self._signed is not None:
            self.set_jti()  # The former one is of another token.
        return user

    def _lasts_until(self) -> int:
        """Return until when the session has to accept tokens."""
        return self.until()

    def outstand(self) -> Any:
        """Do nothing: the session is listed anyway."""

    @classmethod
    def for_user(cls, user: Any) -> Self:
        """Return a new token for a user whose credentials were checked."""
        if not getattr(user, "is_active", True):
            logger.warning("A token was asked for user %s, who is inactive.", user.pk)
        token = cls()
        token._user = user
        token[api_settings.USER_ID_CLAIM] = str(getattr(user, api_settings.USER_ID_FIELD))
        return token


class BlacklistMixin(Token):
    """A token that ends its session. It works whether or not the blacklist app is installed."""

    def check_blacklist(self) -> None:
        """Do nothing: a token whose session has ended is refused when it is read."""

    def blacklist(self) -> Any:
        """
        End the session with all its tokens. Return its row in the blacklist, and whether it is new.

        Without the blacklist app the row is None. A token without a user is denied by its id.
        """
        if self._claims is None:
            str(self)  # Begin the session, or its end would come to nothing.
        session = self._session()
        if session is None and self._claims:
            session = issuing.find_session(self._claims)
        if session is None:
            issuing.deny_statement(self["jti"], self.until())
            return records.blacklist_statement(self["jti"], until=self.until())
        return records.end(session)


class SlidingToken(BlacklistMixin):
    """
    An access token that can be exchanged for a later one until its claim ``refresh_exp``.

    Its session accepts tokens until then, and is not refreshed otherwise.
    """

    token_type = "sliding"
    lifetime = api_settings.SLIDING_TOKEN_LIFETIME

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._claims is None:
            self.set_exp(
                api_settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM,
                from_time=self.current_time,
                lifetime=api_settings.SLIDING_TOKEN_REFRESH_LIFETIME,
            )

    def _lasts_until(self) -> int:
        claim = api_settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM
        return max(self.until(), int(self.payload.get(claim, 0)))


class AccessToken(Token):
    token_type = "access"
    lifetime = api_settings.ACCESS_TOKEN_LIFETIME

    _refresh: "RefreshToken | None" = None
    _usual_exp: int | None = None

    def _sign(self) -> tuple[str, str]:
        pair = self._refresh.pair() if self._refresh else None
        if pair is None or not issuing.can_hold(pair.session, self.until()):
            return super()._sign()
        if self._is_usual() and issuing.is_as_started(pair.session, self.payload):
            self.payload["exp"] = int(pair.access_expires_at.timestamp())
            return pair.raw_access, issuing.jti_now(pair.session, TokenType.ACCESS)
        return issuing.sign_access(pair.session, self.payload)

    def _is_usual(self) -> bool:
        return self.lifetime == conf.TOKENS_ACCESS_LIFETIME and self.until() == self._usual_exp


class RefreshToken(BlacklistMixin):
    token_type = "refresh"
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME
    no_copy_claims = issuing.NOT_COPIED
    access_token_class = AccessToken

    _jose_type = TokenType.REFRESH
    _issued: TokenPair | None = None

    @property
    def access_token(self) -> Any:
        """A new access token with the claims of this one. Its text comes from a refresh."""
        access = self.access_token_class()
        access.set_exp(from_time=self.current_time)
        for claim, value in self.payload.items():
            if claim not in self.no_copy_claims and claim != issuing.type_claim():
                access[claim] = value
        access._refresh, access._usual_exp = self, access.until()
        return access

    def _look(self, raw_token: Secret[str]) -> Authenticated:
        # One that came back after its time ends its session.
        return sessions.find_by_refresh_token(raw_token)

    def pair(self) -> TokenPair | None:
        """Return the pair of the session, which begins or is refreshed now; None without a user."""
        if self._issued is None:
            if self._claims is None:
                str(self)
            elif self._found and self._raw:
                self._issued = issuing.refresh(self._raw)
            else:
                issuing.require_statement(self._claims)
        return self._issued

    def _sign(self) -> tuple[str, str]:
        if self._found and self._claims and self._raw and self["jti"] == self._claims.jti:
            return self._raw.reveal(), self["jti"]  # Claims are set on access tokens only.
        pair = self.pair() if self._found else self._issued
        if pair:
            # After set_jti(), by which code for simplejwt makes the successor of a token.
            self.payload["exp"] = int(pair.refresh_expires_at.timestamp())
            return pair.raw_refresh, issuing.jti_now(pair.session, TokenType.REFRESH)
        user = self._user_for_new_session()
        if user is None:
            return issuing.sign_statement(self.payload)
        usual = datetime_to_epoch(self.current_time + conf.TOKENS_REFRESH_LIFETIME)
        lasts = datetime_from_epoch(self.until()) - aware_utcnow()
        idle = None if self.until() == usual else lasts
        self._issued = issuing.start(user, self.payload, sid=self.sid, idle=idle)
        records.outstand(self._issued.session)
        return self._issued.raw_refresh, self["jti"]

    def _session(self) -> Session | None:
        return self._issued.session if self._issued else super()._session()

    def blacklist(self) -> Any:
        """
        End the session, as BlacklistMixin says.

        If an access token was made from this one, the refresh that it took has superseded it already:
        then the session goes on with its successor, as after a rotation by simplejwt.
        """
        if self._claims and self._issued:
            return None, False
        return super().blacklist()

    def outstand(self) -> Any:
        """Return the session's row in the list of outstanding tokens, and whether it is new."""
        session = self._session()
        return records.outstand(session) if session else None


class UntypedToken(Token):
    """A token of any type, to be looked at. It cannot be issued."""

    token_type = "untyped"
    lifetime = timedelta(0)

    def _look(self, raw_token: Secret[str]) -> Authenticated:
        # A refresh token that came back after its time is recorded, and ends nothing.
        return sessions.verify(raw_token, admit=issuing.admit.get())

    def verify_token_type(self) -> None:
        pass


def _as_secret(token: Any) -> Secret[str]:
    text = token.reveal() if isinstance(token, Secret) else token
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if not isinstance(text, str):
        raise TokenError(_("Token is invalid"))
    return Secret(text)
