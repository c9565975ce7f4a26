"""Many tokens judged at once, each in the context in which its connection was opened."""

from contextvars import Context, ContextVar, copy_context
from typing import Any

import pytest
from django.contrib.auth.models import UserManager
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.support.hiding import hide_users
from tests.tokens.sessions.batched import judged, once_more
from tokens.errors import UserGone, UserInactive
from tokens.jose import Claims
from tokens.sessions import Accepted, Presented

tenant: ContextVar[str] = ContextVar("tenant")


def test_a_user_whom_the_manager_hides_is_refused(
    tokens: list[Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_users(monkeypatch, username="nobody")
    before = judged([Presented(claims) for claims in tokens])
    hide_users(monkeypatch, username="lin")
    with CaptureQueriesContext(connection) as queries:
        refused, *rest = judged(once_more(tokens, before))
    assert isinstance(refused, UserGone)
    assert rest == before[1:]
    assert len(queries) == 3  # One for the rows of the token that changed.


def test_a_manager_that_hides_all_users_refuses_all(
    tokens: list[Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = UserManager.get_queryset
    monkeypatch.setattr(UserManager, "get_queryset", lambda self: everyone(self).none())
    assert {type(each) for each in judged([Presented(claims) for claims in tokens])} == {UserGone}


def at(name: str) -> Context:
    context = copy_context()
    context.run(tenant.set, name)
    return context


def test_each_token_is_judged_with_the_users_of_its_own_context(
    tokens: list[Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = UserManager.get_queryset
    monkeypatch.setattr(
        UserManager,
        "get_queryset",
        lambda self: everyone(self).filter(username__startswith=tenant.get()),
    )
    contexts = [at("lin"), at("m"), at("other")]
    many = [Presented(*each) for each in zip(tokens, [None] * 3, contexts, strict=True)]
    first, second, third = judged(many)
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert isinstance(third, UserGone)
    again = [each._replace(before=one) for each, one in zip(many[:2], (first, second), strict=True)]
    assert judged(again) == [first, second]


def test_tokens_whose_contexts_show_the_same_users_are_judged_together(
    tokens: list[Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_users(monkeypatch, username="nobody")
    many = [Presented(claims, None, at(claims.sub)) for claims in tokens]
    before = judged(many)
    again = [each._replace(before=one) for each, one in zip(many, before, strict=True)]
    with CaptureQueriesContext(connection) as queries:
        assert judged(again) == before
    assert len(queries) == 2


def only_own_tenant(user: Any) -> bool:
    if tenant.get() == "broken":
        raise ZeroDivisionError
    if tenant.get() == "away":
        raise OperationalError("the server closed the connection")
    return bool(user.username == tenant.get())


def test_the_rule_of_the_project_sees_the_context_of_each_token(
    tokens: list[Claims], settings: Any
) -> None:
    settings.TOKENS_USER_RULE = f"{__name__}.only_own_tenant"
    names = ["lin", "other", "broken"]
    many = [Presented(claims, None, at(name)) for claims, name in zip(tokens, names, strict=True)]
    for _ in range(2):
        accepted, refused, failed = judged(many)
        assert accepted.fingerprint is None
        assert isinstance(refused, UserInactive)
        assert isinstance(failed, ZeroDivisionError)
        many[0] = many[0]._replace(before=accepted)


def test_a_database_that_is_away_is_no_outcome(
    tokens: list[Claims], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [Presented(tokens[0], None, at("away"))]
    settings.TOKENS_USER_RULE = f"{__name__}.only_own_tenant"
    with pytest.raises(OperationalError):
        judged(many)
    settings.TOKENS_USER_RULE = None
    everyone = UserManager.get_queryset
    monkeypatch.setattr(
        UserManager,
        "get_queryset",
        lambda self: everyone(self).exclude(first_name=str(only_own_tenant(None))),
    )
    with pytest.raises(OperationalError):
        judged(many)
    (failed,) = judged([Presented(tokens[0], None, at("broken"))])
    assert isinstance(failed, ZeroDivisionError)
