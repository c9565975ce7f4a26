"""What tokens are about: which user, if any, and what the settings make of their claims."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.translation import gettext_lazy
from rest_framework_simplejwt.exceptions import (
    ExpiredTokenError,
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.state import token_backend
from rest_framework_simplejwt.tokens import (
    AccessToken,
    RefreshToken,
    Token,
    UntypedToken,
)

from tokens import denylist, sessions
from tokens.models import DeniedToken, EndReason, Session

pytestmark = pytest.mark.django_db


def claims_of(raw_access: str) -> dict[str, Any]:
    return sessions.authenticate(raw_access).claims.as_json()


def test_a_user_who_may_not_come_in_gets_no_token(user: Any) -> None:
    user.is_active = False
    user.save()
    with pytest.raises(TokenError, match="No active account"):
        str(RefreshToken.for_user(user))
    assert not Session.objects.exists()


def test_the_user_is_the_one_that_the_claims_name(user: Any) -> None:
    refresh = RefreshToken()
    refresh["user_id"] = user.pk
    assert RefreshToken(str(refresh)).user == user
    stranger = RefreshToken.for_user(user)
    stranger["user_id"] = "12345678"
    with pytest.raises(TokenError, match="User not found"):
        str(stranger)
    stranger["user_id"] = "no number"
    with pytest.raises(TokenError, match="User not found"):
        str(stranger)


def test_users_may_be_named_by_another_field(user: Any, monkeypatch: Any) -> None:
    plain = sessions.start(user).raw_access
    monkeypatch.setattr(api_settings, "USER_ID_FIELD", "email")
    refresh = RefreshToken.for_user(user)
    assert refresh["user_id"] == "ada@example.org"
    assert RefreshToken(str(refresh)).user == user
    assert AccessToken(plain)["user_id"] == "ada@example.org"


def test_claims_are_what_json_has(user: Any, monkeypatch: Any) -> None:
    class Encoder(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return str(o)

    refresh = RefreshToken.for_user(user)
    refresh["pair"], refresh["key"] = (1, 2), uuid4()
    with pytest.raises(TypeError):
        str(refresh)
    monkeypatch.setattr(api_settings, "JSON_ENCODER", Encoder)
    refresh["title"] = gettext_lazy("yes")
    claims = claims_of(str(refresh.access_token))
    assert (claims["pair"], claims["title"]) == ([1, 2], "yes")


def test_a_token_without_a_user_is_refused(user: Any) -> None:
    token = AccessToken()
    token["job"] = 7
    raw = str(token)
    assert AccessToken(raw).payload == token.payload
    assert AccessToken(raw).user is None
    assert not Session.objects.exists()
    for verb in (sessions.authenticate, sessions.refresh, sessions.verify):
        with pytest.raises(Exception, match=r".") as refused:
            verb(raw)
        assert type(refused.value).__name__ in {"WrongType", "UserGone"}


def test_a_token_without_a_user_is_denied_by_its_id(user: Any) -> None:
    refresh = RefreshToken()
    raw = str(refresh)
    access = str(RefreshToken(raw).access_token)
    assert AccessToken(access)["token_type"] == "access"
    RefreshToken(raw).blacklist()
    with pytest.raises(TokenError, match="blacklisted"):
        RefreshToken(raw)
    assert DeniedToken.objects.get().value == refresh["jti"]
    assert AccessToken(access)


def test_a_cut_off_refuses_tokens_without_a_user(user: Any) -> None:
    raw = str(RefreshToken())
    sessions.revoke_everything(note="leak")
    with pytest.raises(TokenError, match="blacklisted"):
        UntypedToken(raw)


def test_a_token_that_gets_a_user_later_is_another_one(user: Any) -> None:
    token = RefreshToken()
    statement = str(token)
    token["user_id"] = user.pk
    assert RefreshToken(str(token)).user == user
    assert RefreshToken(statement).user is None
    assert RefreshToken(statement).outstand() is None
    access = AccessToken()
    alone = str(access)
    access["user_id"] = str(user.pk)
    assert AccessToken(str(access)).sid != AccessToken(alone).sid


def test_a_token_without_exp_is_never_good(user: Any) -> None:
    for token in (RefreshToken(), RefreshToken.for_user(user), AccessToken.for_user(user)):
        del token["exp"]
        with pytest.raises(TokenError):
            UntypedToken(str(token))
    with pytest.raises(TokenError, match="no 'refresh_exp'"):
        AccessToken().check_exp("refresh_exp")


def test_a_token_long_expired_says_so(user: Any) -> None:
    token = AccessToken()
    token.set_exp(lifetime=timedelta(hours=-1))
    with pytest.raises(ExpiredTokenError):
        AccessToken(str(token))
    with pytest.raises(TokenBackendExpiredToken):
        token_backend.decode(str(token))


def test_a_class_without_a_type_makes_no_token() -> None:
    with pytest.raises(TokenError):
        Token()


def test_the_backend_encodes_and_decodes(user: Any) -> None:
    raw = token_backend.encode({"user_id": user.pk, "plan": "gold"})
    assert token_backend.decode(raw)["plan"] == "gold"
    raw = token_backend.encode({"user_id": user.pk, "token_type": "refresh"})
    assert RefreshToken(raw).user == user
    sessions.end_all(user, reason=EndReason.REVOKED)
    with pytest.raises(TokenBackendError):
        token_backend.decode(raw)
    assert AccessToken().get_token_backend() is token_backend
    assert AccessToken().outstand() is None


def test_leeway_is_that_of_simple_jwt(user: Any, monkeypatch: Any) -> None:
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=timedelta(seconds=-2))
    raw = str(token)
    with pytest.raises(TokenError):
        AccessToken(raw)
    monkeypatch.setattr(api_settings, "LEEWAY", timedelta(seconds=6))
    assert AccessToken(raw)


def test_a_type_claim_of_another_name_is_in_access_tokens(user: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(api_settings, "TOKEN_TYPE_CLAIM", "use")
    raw = str(RefreshToken.for_user(user).access_token)
    assert claims_of(raw)["use"] == "access"
    assert AccessToken(raw)["use"] == "access"
    token = AccessToken.for_user(user)
    del token["use"]
    assert AccessToken(str(token))["use"] == "access"


def test_a_denial_of_the_id_refuses_an_access_token(user: Any) -> None:
    access = AccessToken(str(RefreshToken.for_user(user).access_token))
    session = Session.objects.get()
    sessions.revoke_token(access["jti"], session)
    assert denylist.find([access["jti"]])
    with pytest.raises(TokenError, match="blacklisted"):
        AccessToken(str(access))
