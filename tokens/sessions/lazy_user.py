"""The user and the session of a token that was accepted without a query."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.utils.functional import SimpleLazyObject, empty

from ..errors import TokenError
from ..models import Session


class LazyUser(SimpleLazyObject):
    """
    A user whose primary key is known, and whose other attributes are loaded on first use.

    ``pk``, ``is_authenticated``, ``is_anonymous`` and the class cost no query.
    """

    def __init__(self, sub: str, load: Callable[[], Any]) -> None:
        # As SimpleLazyObject does, but past its own __setattr__, which takes several times as long
        # at each request.
        setattr_ = object.__setattr__
        setattr_(self, "_setupfunc", load)
        setattr_(self, "_wrapped", empty)
        setattr_(self, "_sub", sub)

    def raise_refusals_as(self, convert: Callable[[TokenError], Exception]) -> None:
        """Raise what ``convert`` returns for the TokenError of a load that refuses the token."""
        load = self.__dict__["_setupfunc"]

        def load_or_raise() -> Any:
            try:
                return load()
            except TokenError as error:
                raise convert(error) from None

        object.__setattr__(self, "_setupfunc", load_or_raise)

    async def aload(self) -> None:
        """
        Load the user in a thread, so that async code can use all attributes.

        Raises what the load raises: TokenError, or what ``raise_refusals_as`` made of it.
        """
        if self._wrapped is empty:
            await sync_to_async(getattr)(self, "_meta")  # Any attribute of the user loads it.

    @property
    def pk(self) -> Any:
        return _key_of(self._sub) if self._wrapped is empty else self._wrapped.pk

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def is_anonymous(self) -> bool:
        return False

    @property  # type: ignore[misc]  # as in SimpleLazyObject, without the loading
    def __class__(self) -> Any:
        return get_user_model()

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if self._wrapped is empty and name == get_user_model()._meta.pk.attname:
            return self.pk
        return super().__getattr__(name)


@lru_cache(maxsize=4096)
def _key_of(sub: str) -> Any:
    """Return the primary key that a ``sub`` spells."""
    return get_user_model()._meta.pk.to_python(sub)


class StrictLookup:
    """The one query, run once, when the session or the user is first used."""

    __slots__ = ("_load", "_session")

    def __init__(self, load: Callable[[], Session]) -> None:
        self._load = load
        self._session: Session | None = None

    def session(self) -> Session:
        """Return the session. Raises TokenError if the query refuses the token."""
        if self._session is None:
            self._session = self._load()
        return self._session

    def user(self) -> Any:
        return self.session().user
