"""The token classes: when a session begins, and what becomes of claims and lifetimes."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework_simplejwt.exceptions import (
    TokenError,
)
from rest_framework_simplejwt.tokens import (
    AccessToken,
    RefreshToken,
    SlidingToken,
    UntypedToken,
)

from tokens import sessions
from tokens.errors import WrongType
from tokens.models import EndReason, Session, SessionKind
from tokens.simplejwt_names import issuing

pytestmark = pytest.mark.django_db


def claims_of(raw_access: str) -> dict[str, Any]:
    return sessions.authenticate(raw_access).claims.as_json()


def test_no_session_begins_before_a_token_is_text(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    refresh["plan"] = "gold"
    assert refresh.access_token["plan"] == "gold"
    assert not Session.objects.exists()
    raw = str(refresh)
    session = Session.objects.get()
    assert (session.pk, refresh["jti"]) == (refresh.sid, f"{session.pk.hex}.0r")
    assert session.claims == {"user_id": str(user.pk), "plan": "gold", "token_type": "access"}
    assert str(refresh) == raw
    assert claims_of(str(refresh.access_token))["plan"] == "gold"
    assert Session.objects.count() == 1


def test_an_access_token_may_be_asked_for_first(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    access = AccessToken(str(refresh.access_token))
    assert access.sid == RefreshToken(str(refresh)).sid
    assert access.user.pk == user.pk


def test_a_claim_of_one_access_token_is_in_no_other(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    access = refresh.access_token
    access["scope"] = "upload"
    assert claims_of(str(access))["scope"] == "upload"
    assert "scope" not in claims_of(str(refresh.access_token))
    assert "scope" not in Session.objects.get().claims
    access["scope"] = "download"
    assert claims_of(str(access))["scope"] == "download"
    assert Session.objects.count() == 1


def test_a_claim_that_is_set_after_the_sign_in_is_in_access_tokens_of_this_object(
    user: Any,
) -> None:
    refresh = RefreshToken.for_user(user)
    raw = str(refresh)
    refresh["late"] = True
    assert str(refresh) == raw
    assert claims_of(str(refresh.access_token))["late"] is True


def test_a_token_that_was_read_has_the_claims_of_its_session(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    refresh["plan"] = "gold"
    read = RefreshToken(str(refresh))
    assert (read["plan"], read["token_type"], "exp" in read) == ("gold", "refresh", True)
    assert read.get("user_id") == str(user.pk)
    assert read.token == str(refresh)
    assert str(refresh) not in repr(read)
    read["plan"] = "silver"
    assert str(read) == str(refresh)
    del read["plan"]
    assert "plan" not in read


def test_a_lifetime_of_its_own_is_that_of_the_session(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    refresh.set_exp(lifetime=timedelta(days=200))
    str(refresh)
    session = Session.objects.get()
    assert session.idle_lifetime is not None
    assert timedelta(days=199) < session.idle_lifetime <= timedelta(days=200)
    assert session.idle_until == session.expires_at


def test_a_refresh_token_that_has_expired_already_is_refused(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    refresh.set_exp(lifetime=timedelta(seconds=-30))
    with pytest.raises(TokenError, match="expired"):
        RefreshToken(str(refresh))


def test_a_longer_access_token_has_a_session_of_its_own(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    access = refresh.access_token
    access.set_exp(lifetime=timedelta(hours=3))
    raw = str(access)
    assert set(Session.objects.values_list("kind", flat=True)) == {
        SessionKind.PAIR,
        SessionKind.ACCESS,
    }
    assert AccessToken(raw).sid != RefreshToken(str(refresh)).sid
    access["more"] = 1
    assert claims_of(str(access))["more"] == 1
    assert Session.objects.count() == 2


def test_an_access_token_alone_can_be_revoked(user: Any) -> None:
    raw = str(AccessToken.for_user(user))
    assert AccessToken(raw)["user_id"] == str(user.pk)
    sessions.end_all(user, reason=EndReason.REVOKED)
    with pytest.raises(TokenError, match="blacklisted"):
        AccessToken(raw)


def test_an_access_token_that_was_read_can_be_changed(user: Any) -> None:
    access = AccessToken(str(RefreshToken.for_user(user).access_token))
    access["scope"] = "upload"
    assert claims_of(str(access))["scope"] == "upload"
    access.set_exp(lifetime=timedelta(days=1))
    assert AccessToken(str(access)).sid != Session.objects.get(kind=SessionKind.PAIR).pk


def test_a_subclass_has_its_own_lifetime_and_conditions(user: Any) -> None:
    class Short(AccessToken):
        lifetime = timedelta(minutes=1)

    class Remembered(RefreshToken):
        access_token_class = Short

        def verify(self) -> None:
            super().verify()
            raise TokenError("never")

    refresh = Remembered.for_user(user)
    claims = claims_of(str(refresh.access_token))
    assert claims["exp"] - claims["iat"] in {59, 60}
    with pytest.raises(TokenError, match="never"):
        Remembered(str(refresh))


def test_code_that_rotates_as_simplejwt_does_goes_on_with_the_session(user: Any) -> None:
    first = str(RefreshToken.for_user(user))
    refresh = RefreshToken(first)
    access = str(refresh.access_token)
    assert refresh.blacklist() == (None, False)
    refresh.set_jti()
    refresh.set_exp()
    refresh.set_iat()
    refresh.outstand()
    second = str(refresh)
    assert second != first
    assert AccessToken(access).sid == RefreshToken(second).sid
    assert Session.objects.get().generation == 1


def test_a_successor_can_be_asked_for_without_an_access_token(user: Any) -> None:
    refresh = RefreshToken(str(RefreshToken.for_user(user)))
    refresh.set_jti()
    assert RefreshToken(str(refresh)).sid == Session.objects.get().pk
    assert refresh["jti"].endswith(".1r")


def test_blacklisting_a_new_token_ends_the_session_that_it_stands_for(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    refresh.blacklist()
    refresh.check_blacklist()
    with pytest.raises(TokenError, match="blacklisted"):
        RefreshToken(str(refresh))


def test_an_expired_token_can_be_read_and_blacklisted_but_not_used(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    refresh.set_exp(lifetime=timedelta(seconds=-30))
    raw = str(refresh)
    read = RefreshToken(raw, verify=False)
    assert read.user is None
    with pytest.raises(TokenError):
        str(read.access_token)
    read["more"] = 1
    with pytest.raises(TokenError):
        str(read)
    read.blacklist()
    assert Session.objects.get().end_reason == EndReason.LOGOUT


@pytest.mark.parametrize("raw", ["junk", b"junk", 7, "a.b.c", "é"])
@pytest.mark.parametrize("token_class", [AccessToken, RefreshToken, UntypedToken])
def test_junk_is_no_token(user: Any, token_class: Any, raw: Any) -> None:
    with pytest.raises(TokenError):
        token_class(raw)
    with pytest.raises(TokenError):
        token_class(raw, verify=False)


def test_a_token_that_another_package_signed_is_left_to_the_sessions(
    user: Any, monkeypatch: Any
) -> None:
    """As ``tokens.takeover`` adopts tokens of simplejwt, which have no ``kid``."""
    found = sessions.authenticate(sessions.start(user).raw_access)
    monkeypatch.setattr(sessions, "authenticate", lambda raw: found)
    assert AccessToken("their.old.token").user == user
    assert AccessToken("their.old.token").sid == found.claims.sid


def test_a_wrong_type_keeps_simplejwts_word() -> None:
    with pytest.raises(TokenError, match="wrong type"), issuing.refusals():
        raise WrongType("An access token of another package.")


def test_each_class_takes_its_own_type_only(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    with pytest.raises(TokenError, match="wrong type"):
        AccessToken(str(refresh))
    with pytest.raises(TokenError, match="wrong type"):
        RefreshToken(str(refresh.access_token))
    with pytest.raises(TokenError, match="wrong type"):
        AccessToken(str(SlidingToken.for_user(user)))
    assert UntypedToken(str(refresh).encode())["user_id"] == str(user.pk)
