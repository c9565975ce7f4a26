"""
The session and the user of a token that was let in without a query, for when they are asked for.

Both come from one strict look, so a view that uses more of the user than the key gets what the
strict mode promises.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.functional import SimpleLazyObject, empty

from tokens.claims import Claims
from tokens.models import Session


class _Lazy(SimpleLazyObject):
    def __init__(self, load: Callable[[], Any], **more: Any) -> None:
        # As SimpleLazyObject does, in one step: each attribute that it sets costs its own detour.
        self.__dict__.update(_setupfunc=load, _wrapped=empty, **more)


class LazyUser(_Lazy):
    """
    The user, of whom the key is known and the rest is loaded when it is asked for.

    What the key alone answers costs no query: ``pk``, being authenticated, being of the user
    model.
    """

    def __init__(self, load: Callable[[], Any], claims: Claims) -> None:
        super().__init__(load, _sub=claims.sub)

    @property
    def pk(self) -> Any:
        if self._wrapped is empty:
            return get_user_model()._meta.pk.to_python(self.__dict__["_sub"])
        return self._wrapped.pk

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def is_anonymous(self) -> bool:
        return False

    @property  # type: ignore[misc]  # as in SimpleLazyObject, less the loading
    def __class__(self) -> Any:
        return get_user_model()

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if self._wrapped is empty and name == get_user_model()._meta.pk.attname:
            return self.pk
        return super().__getattr__(name)


class _Once:
    """One strict look for the session and the user together. Raises TokenError."""

    __slots__ = ("_look", "_session")

    def __init__(self, look: Callable[[], Session]) -> None:
        self._look = look
        self._session: Session | None = None

    def session(self) -> Session:
        if self._session is None:
            self._session = self._look()
        return self._session

    def user(self) -> Any:
        return self.session().user


def lazily(claims: Claims, look: Callable[[], Session]) -> tuple[Any, Any]:
    """Return the session and user of ``claims`` that ``look`` brings when one of them is used."""
    once = _Once(look)
    return _Lazy(once.session), LazyUser(once.user, claims)
