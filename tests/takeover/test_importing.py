"""The import: what is taken over, killed and run again, and before and after changes of passwords."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.contrib.auth import get_user_model
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tokens import sessions
from tokens.errors import KeyRingError, PasswordChanged, SessionEnded, UserGone
from tokens.models import EndReason, Session, SessionKind
from tokens.takeover import importing, their_settings
from tokens.takeover import outstanding as takeover
from tokens.takeover.importing import Imported
from tokens.takeover.models import AdoptedToken, OutstandingToken, Switch

from .conftest import DAY, NOW, adopt, outstanding, payload, refresh_token, signed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("their_tables")]
MINUTE = timedelta(minutes=1)


def others(count: int) -> list[Any]:
    users: Any = get_user_model().objects
    return [users.create_user(f"user{n}", f"user{n}@example.org", "secret") for n in range(count)]


def test_each_kind_of_row_is_counted(user: Any) -> None:
    good, second = refresh_token(user), refresh_token(user)
    outstanding(good)
    outstanding(second)
    inactive, deleted = others(2)
    inactive.is_active = False
    inactive.save()
    outstanding(refresh_token(inactive))
    outstanding(refresh_token(deleted))
    deleted.delete()
    outstanding(signed(payload(user.pk), key="another key, as long as it takes: 0123456789"))
    OutstandingToken.objects.filter(pk=outstanding(refresh_token(user)).pk).update(jti="another")
    assert adopt() == Imported(users=1, tokens=2, refused=2, unreadable=2)
    assert AdoptedToken.objects.filter(used_at=None, is_refresh=True).count() == 2
    assert sessions.refresh(good, now=NOW).session.user == user


def test_a_second_run_adds_what_is_new_and_nothing_twice(user: Any) -> None:
    first = refresh_token(user)
    outstanding(first)
    adopt()
    pair = sessions.refresh(first, now=NOW)
    outstanding(refresh_token(user))
    assert adopt(NOW + MINUTE) == Imported(users=1, tokens=1, known=1)
    assert Session.objects.filter(kind=SessionKind.PAIR).count() == 2
    # A session that went on here is left alone.
    sessions.authenticate(pair.raw_access, now=NOW + MINUTE)


def test_a_run_that_is_killed_goes_on_where_it_was(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_SIZE", 2)
    users = [user, *others(4)]
    raw = [refresh_token(one) for one in users]
    for text in raw:
        outstanding(text)
    theirs = their_settings.read()
    switch = importing.open_switch(theirs, now=NOW)

    def die(text: str) -> None:
        if text == "2 tokens":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.run(switch, theirs, report=die, now=NOW)
    assert Session.objects.filter(kind=SessionKind.PAIR).count() == 2
    # Meanwhile, every token is good.
    for text in raw:
        sessions.verify(text, now=NOW)
    assert adopt(NOW + MINUTE) == Imported(users=5, known=5)


def test_a_password_of_the_former_site_signs_no_user_out_before_the_cut_over(user: Any) -> None:
    raw = refresh_token(user)
    outstanding(raw)
    adopt()
    # As another process does, in which this app is not installed.
    get_user_model().objects.filter(pk=user.pk).update(password="a hash of the former site")
    adopt(NOW + MINUTE, cut_over_at=NOW + MINUTE)
    sessions.refresh(raw, now=NOW + MINUTE)
    sessions.refresh(refresh_token(user), now=NOW + MINUTE)


def test_no_run_after_the_cut_over_follows_a_password(user: Any) -> None:
    raw = refresh_token(user)
    outstanding(raw)
    adopt(cut_over_at=NOW)
    get_user_model().objects.filter(pk=user.pk).update(password="another hash")
    adopt(NOW + MINUTE)
    with pytest.raises(PasswordChanged):
        sessions.refresh(raw, now=NOW + MINUTE)


def test_a_run_revives_nothing_that_was_taken_back(user: Any) -> None:
    shown, late = refresh_token(user), refresh_token(user)
    outstanding(shown)
    adopt()
    sessions.end_all(user, reason=EndReason.REVOKED, now=NOW)
    outstanding(late)
    assert adopt(NOW + MINUTE) == Imported(users=1, known=1, refused=1)
    with pytest.raises(SessionEnded):
        sessions.refresh(shown, now=NOW + MINUTE)
    with pytest.raises(SessionEnded):
        sessions.refresh(late, now=NOW + MINUTE)


def test_a_user_who_was_inactive_during_the_last_run_has_no_former_token_left(user: Any) -> None:
    adopt()
    new = get_user_model().objects.create_user("new", is_active=False)
    raw = refresh_token(new, issued=NOW)
    adopt(NOW + 5 * MINUTE)
    get_user_model().objects.filter(pk=new.pk).update(is_active=True)
    with pytest.raises(UserGone):
        sessions.refresh(raw, now=NOW + 6 * MINUTE)


def test_a_former_token_that_lives_longer_keeps_the_door_open(user: Any, settings: Any) -> None:
    outstanding(signed(payload(user.pk, exp=int((NOW + 60 * DAY).timestamp()))))
    adopt()
    assert Switch.objects.get().closes_at == NOW + 60 * DAY


def test_a_session_of_ours_does_not_keep_the_door_open(user: Any) -> None:
    outstanding(refresh_token(user))
    OutstandingToken.objects.create(jti="ours", token="", expires_at=NOW + 90 * DAY)
    assert adopt() == Imported(users=1, tokens=1)
    assert Switch.objects.get().closes_at < NOW + 15 * DAY


def test_a_token_that_is_shown_while_it_is_imported_is_answered(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt()
    raw = refresh_token(user)
    insert = takeover._insert

    def insert_later(rows: list[Session]) -> None:
        monkeypatch.setattr(takeover, "_insert", insert)
        outstanding(raw)
        assert adopt().tokens == 1
        insert(rows)

    monkeypatch.setattr(takeover, "_insert", insert_later)
    assert sessions.refresh(raw, now=NOW).session.generation == 1
    assert AdoptedToken.objects.count() == 1


def test_a_user_by_another_field_is_found(user: Any, settings: Any) -> None:
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "USER_ID_FIELD": "username"}
    imported, late = refresh_token(user, user_id="ada"), refresh_token(user, user_id="ada")
    outstanding(imported)
    assert adopt().tokens == 1
    for raw in (imported, late):
        assert sessions.refresh(raw, now=NOW).session.user == user
    with pytest.raises(UserGone):
        sessions.refresh(refresh_token(user, user_id="ADA"), now=NOW)


def test_one_key_of_a_jwk_set_is_pinned() -> None:
    private = rsa.generate_private_key(65537, 2048)
    one = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    other = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    pem = importing.pinned_key({"keys": [one, other]}, "RS256")
    assert pem.startswith("-----BEGIN PUBLIC KEY-----")
    for keys in ([], [one, one], [{**one, "use": "enc"}], [{**one, "alg": "RS512"}]):
        with pytest.raises(ValueError, match="keys for RS256"):
            importing.pinned_key({"keys": keys}, "RS256")
    with pytest.raises(KeyRingError):
        importing.pinned_key({"keys": [{"kty": "RSA"}]}, "RS256")


def test_a_project_without_use_tz_is_taken_over_too(user: Any, settings: Any) -> None:
    settings.USE_TZ = False
    raw = signed(payload(user.pk, exp=int((NOW + 60 * DAY).timestamp())))
    members = jwt.decode(raw, options={"verify_signature": False})
    OutstandingToken.objects.create(
        jti=members["jti"], token=raw, expires_at=(NOW + 60 * DAY).replace(tzinfo=None)
    )
    assert adopt().tokens == 1
    assert Switch.objects.get().closes_at == NOW + 60 * DAY
