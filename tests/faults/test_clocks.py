"""A clock that is set back, or two hosts whose clocks differ, sign nobody out and let nobody in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tokens import sessions
from tokens.conf import conf
from tokens.errors import TokenError, WrongClaims
from tokens.jose import Claims, TokenType, encode, jti_of
from tokens.keyring import verification_key

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


def test_a_session_outlives_a_clock_that_is_set_back(user: Any) -> None:
    first = sessions.start(user, now=NOW)
    second = sessions.refresh(first.raw_refresh, now=NOW + timedelta(seconds=30))
    earlier = NOW + timedelta(seconds=30) - MINUTE
    # An access token is accepted only within the leeway. Its client refreshes and continues.
    with pytest.raises(WrongClaims):
        sessions.authenticate(second.raw_access, now=earlier)
    third = sessions.refresh(second.raw_refresh, now=earlier)
    sessions.authenticate(third.raw_access, now=earlier)
    # Another tab sends the same refresh token, or the answer was lost.
    again = sessions.refresh(second.raw_refresh, now=earlier + timedelta(seconds=1))
    assert again.raw_refresh == third.raw_refresh


def test_what_was_revoked_stays_refused_when_the_clock_is_set_back(user: Any) -> None:
    pair = sessions.start(user, now=NOW)
    other = sessions.start(user, now=NOW)
    sessions.revoke(pair.raw_access, now=NOW)
    sessions.revoke(other.raw_refresh, now=NOW)
    for raw_access in (pair.raw_access, other.raw_access):
        with pytest.raises(TokenError):
            sessions.authenticate(raw_access, now=NOW - MINUTE)
    with pytest.raises(TokenError):
        sessions.refresh(other.raw_refresh, now=NOW - MINUTE)


@pytest.mark.parametrize("type", TokenType)
def test_nothing_but_the_sessions_row_vouches_for_a_token_of_the_future(
    user: Any, type: TokenType
) -> None:
    pair = sessions.start(user, now=NOW)
    ahead = int((NOW + conf.TOKENS_LEEWAY).timestamp()) + 1
    key = verification_key(pair.session.kid, type, now=NOW)
    claims = Claims(
        type=type,
        kid=key.kid,
        iss=conf.TOKENS_ISSUER,
        aud=sessions.audience_of(type),
        sub=str(user.pk),
        iat=ahead,
        exp=ahead + 300,
        jti=jti_of(pair.session.pk, 0, type),
        sid=pair.session.pk,
        generation=0 if type is TokenType.REFRESH else None,
    )
    verb = sessions.refresh if type is TokenType.REFRESH else sessions.authenticate
    with pytest.raises(WrongClaims):
        verb(encode(claims, key=key), now=NOW)


def test_two_hosts_five_seconds_apart_understand_each_other(user: Any) -> None:
    ahead, behind = NOW + timedelta(seconds=5), NOW
    pair = sessions.start(user, now=ahead)
    sessions.authenticate(pair.raw_access, now=behind)
    pair = sessions.refresh(pair.raw_refresh, now=behind)
    sessions.authenticate(pair.raw_access, now=ahead)
    raw_refresh = pair.raw_refresh
    pair = sessions.refresh(raw_refresh, now=ahead)
    again = sessions.refresh(raw_refresh, now=behind)
    assert again.raw_refresh == pair.raw_refresh
    sessions.end([pair.session], reason=sessions.EndReason.LOGOUT, now=behind)
    with pytest.raises(TokenError):
        sessions.authenticate(pair.raw_access, now=ahead)
