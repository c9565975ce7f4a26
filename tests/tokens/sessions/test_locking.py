"""The compiled statement that locks the user of a sign-in, against the ORM's."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Model

from tokens import sessions
from tokens.database import compiled_sql
from tokens.errors import UserGone
from tokens.models import DeniedToken
from tokens.sessions import locking

pytestmark = pytest.mark.django_db


def columns_of(user: Model) -> Any:
    return {name: value for name, value in vars(user).items() if name[0] != "_"}


@pytest.fixture(params=["compiled", "through the ORM"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled_sql._compiled.clear()
    if request.param == "through the ORM":
        monkeypatch.setattr(locking, "hides_users", lambda: True)


def test_the_compiled_statement_finds_what_the_orm_finds(user: Any) -> None:
    compiled_sql._compiled.clear()
    with transaction.atomic():
        compiled = locking.lock_for_sign_in(user).user
        found = locking.find_through_orm(user.pk)
    assert found is not None
    assert columns_of(compiled) == columns_of(found.user)
    assert "password" in columns_of(compiled)
    assert (compiled._state.db, compiled._state.adding) == ("default", False)
    assert [made for _, made in compiled_sql._compiled.values()] != [None]


@pytest.mark.usefixtures("_either_way")
def test_the_user_is_as_stored_now(user: Any) -> None:
    get_user_model().objects.update(is_active=False)
    with transaction.atomic():
        assert not locking.lock_for_sign_in(user).user.is_active
    assert user.is_active


@pytest.mark.usefixtures("_either_way")
def test_a_user_who_is_gone_raises_an_error(user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).delete()
    with transaction.atomic(), pytest.raises(UserGone):
        locking.lock_for_sign_in(user)


@pytest.mark.usefixtures("_either_way")
def test_the_latest_cut_off_is_read_with_the_user(user: Any) -> None:
    with transaction.atomic():
        assert locking.lock_for_sign_in(user).cut_off is None
    sessions.revoke_everything(note="test")
    row = DeniedToken.objects.get(kind=DeniedToken.Kind.CUT_OFF)
    with transaction.atomic():
        assert locking.lock_for_sign_in(user).cut_off == row.issued_before


@pytest.mark.usefixtures("_either_way")
def test_a_limit_that_may_be_reached_is_read_with_the_user(user: Any, settings: Any) -> None:
    settings.TOKENS_SESSIONS_PER_USER = 18
    for _ in range(2):
        sessions.start(user)
    with transaction.atomic():
        assert not locking.lock_for_sign_in(user).may_have_many
    sessions.start(user)
    with transaction.atomic():
        assert locking.lock_for_sign_in(user).may_have_many
        settings.TOKENS_SESSIONS_PER_USER = 50
        assert not locking.lock_for_sign_in(user).may_have_many
