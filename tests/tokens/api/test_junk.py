"""Junk is a token that this site has not signed, and no other that it refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from tests.support.forging import Target, target_of
from tests.tokens.api.token_doors import fresh_address, raw_of
from tokens import errors, sessions
from tokens.models import EndReason, Session

pytestmark = pytest.mark.django_db


def without_a_dot(target: Target) -> str:
    return target.raw.replace(".", "")


def under_an_unknown_key(target: Target) -> str:
    return target.token(target.own, kid="unknown")


def with_another_signature(target: Target) -> str:
    return target.token(b"x" * 32)


@pytest.mark.parametrize(
    ("forge", "error"),
    [
        (without_a_dot, errors.Malformed),
        (under_an_unknown_key, errors.UnknownKey),
        (with_another_signature, errors.BadSignature),
    ],
)
@pytest.mark.parametrize("type", ["access", "refresh"])
def test_a_token_that_was_not_signed_here_is_junk(
    user: Any, type: str, forge: Callable[[Target], str], error: type[errors.TokenError]
) -> None:
    forged = forge(target_of(raw_of(sessions.start(user), type)))
    with pytest.raises(errors.NotSignedHere) as refusal:
        sessions.verify(forged)
    assert refusal.type is error


def expired(target: Target) -> str:
    return target.claiming(iat=1, exp=2)


def of_the_future(target: Target) -> str:
    return target.claiming(iat=target.claims["iat"] + 3600)


def of_another_issuer(target: Target) -> str:
    return target.claiming(iss="another")


def of_no_session(target: Target) -> str:
    Session.objects.all().delete()
    return target.raw


def of_an_ended_session(target: Target) -> str:
    sessions.end(list(Session.objects.all()), reason=EndReason.REVOKED)
    return target.raw


def of_an_inactive_user(target: Target) -> str:
    get_user_model().objects.update(is_active=False)
    return target.raw


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (expired, errors.Expired),
        (of_the_future, errors.WrongClaims),
        (of_another_issuer, errors.WrongClaims),
        (of_no_session, errors.UserGone),
        (of_an_ended_session, errors.SessionEnded),
        (of_an_inactive_user, errors.UserInactive),
    ],
)
@pytest.mark.parametrize("type", ["access", "refresh"])
def test_a_token_that_was_signed_here_is_not_junk_although_it_is_refused(
    user: Any, type: str, change: Callable[[Target], str], error: type[errors.TokenError]
) -> None:
    refused = change(target_of(raw_of(sessions.start(user), type)))
    with pytest.raises(errors.TokenError) as refusal:
        sessions.verify(refused)
    assert refusal.type is error
    assert not isinstance(refusal.value, errors.NotSignedHere)


def test_a_token_of_the_other_type_is_not_junk(user: Any, settings: Any) -> None:
    settings.TOKENS_REFRESH_THROTTLE = "1/day"
    client = APIClient(REMOTE_ADDR=fresh_address())
    body = {"refresh": sessions.start(user).raw_access}
    answers = [client.post("/api/token/refresh/", body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert answers[2].json()["detail"] == "Token has wrong type"
