"""Whether a session is of the password that its user has now, asked without computing it again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser

from tokens import sessions
from tokens.errors import PasswordChanged
from tokens.models import Session
from tokens.sessions import auth_hash

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Hear of each time that a user is asked for the hash."""
    auth_hash._known.clear()
    asked: list[Any] = []
    djangos = AbstractBaseUser.get_session_auth_hash

    def hash_of(user: Any) -> str:
        asked.append(user)
        return djangos(user)

    monkeypatch.setattr(AbstractBaseUser, "get_session_auth_hash", hash_of)
    return asked


def test_the_hash_of_a_password_is_computed_once(user: Any, asked: list[Any]) -> None:
    pair = sessions.start(user, now=NOW)
    del asked[:]
    for _ in range(3):
        sessions.authenticate(pair.raw_access, now=NOW)
    assert len(asked) == 1


def test_another_password_is_never_taken_for_the_one_before(user: Any) -> None:
    pair = sessions.start(user, now=NOW)
    former = user.password
    sessions.authenticate(pair.raw_access, now=NOW)
    get_user_model().objects.update(password="pbkdf2_sha256$1$another$one")
    for _ in range(2):
        with pytest.raises(PasswordChanged):
            sessions.authenticate(pair.raw_access, now=NOW)
    get_user_model().objects.update(password=former)
    sessions.authenticate(pair.raw_access, now=NOW)


def test_another_secret_key_makes_other_hashes(user: Any, settings: Any) -> None:
    pair = sessions.start(user, now=NOW)
    sessions.authenticate(pair.raw_access, now=NOW)
    settings.SECRET_KEY = "another one, of which nobody here has heard anything before now"
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_user_model_with_a_hash_of_its_own_is_asked_each_time() -> None:
    class Person:
        password, badge = "secret", "blue"

        def get_session_auth_hash(self) -> str:
            return f"{self.password} {self.badge}"

        def get_session_auth_fallback_hash(self) -> list[str]:
            return []

    person = Person()
    session = Session(auth_hash="secret blue")
    assert auth_hash.auth_hash_matches(session, person)
    person.badge = "red"
    assert not auth_hash.auth_hash_matches(session, person)


def test_no_more_hashes_are_kept_than_the_capacity(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth_hash._known.clear()
    monkeypatch.setattr(auth_hash, "CAPACITY", 2)
    for number in range(5):
        user.password = f"password {number}"
        assert auth_hash.auth_hash_matches(Session(auth_hash=user.get_session_auth_hash()), user)
        assert len(auth_hash._known) <= 2
