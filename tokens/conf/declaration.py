"""How a setting is declared, and how its value is read: one function for each type."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import NoneType
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, overload

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise
from django.utils.module_loading import import_string

ClaimsHook = Callable[[Any], Mapping[str, Any]]
UserRule = Callable[[Any], bool]
UserLanguage = Callable[[Any], str | None]

Default = TypeVar("Default")
Value = TypeVar("Value")


_ABSENT = object()
_IMMUTABLE = (str, int, timedelta, NoneType, tuple)


class WrongTypeError(Exception):
    """The value has another type; the message says which values are allowed."""


class Setting(Generic[Default, Value]):
    """
    One setting, whose name is that of the attribute. ``declared`` has all of them by their names,
    including those of optional packages.

    ``read`` returns the value for what the project has set, or for the default, and raises
    WrongTypeError. The value of a ``secret`` setting is never quoted in an error.
    """

    declared: ClassVar[dict[str, "Setting[Any, Any]"]] = {}

    def __init__(
        self,
        read: Callable[[Any], Value],
        default: Default,
        description: str,
        *,
        secret: bool = False,
    ) -> None:
        self._read = read
        self._good: object = self  # The last value that was allowed, if it was returned as it is.
        self.default = default
        self.__doc__ = description
        self._secret = secret

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.declared[name] = self

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        """Return the current value. Raises ImproperlyConfigured for one of the wrong type."""
        if instance is None:
            return self
        # Django keeps each value here that it has looked up. A request reads eight settings, and looking
        # up and checking each of them anew takes a tenth of what its authentication takes.
        value: Value = object.__getattribute__(settings, "__dict__").get(self.name, _ABSENT)
        if value is self._good:
            return value
        value = getattr(settings, self.name, cast("Any", self.default))
        try:
            read = self._read(value)
        except WrongTypeError as allowed:
            shown = f"of type {type(value).__name__}" if self._secret else repr(value)
            raise ImproperlyConfigured(f"{self.name} is {shown}. It may be {allowed}.") from None
        if read is value and isinstance(value, _IMMUTABLE):
            self._good = value
        return read


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Promise):  # django.utils.functional.lazy, such as of the current tenant
        return str(value)
    raise WrongTypeError("a string")


def text_or_none(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Promise):
        return str(value)
    raise WrongTypeError("a string, or None")


def texts(value: Any) -> Sequence[str]:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return value if isinstance(value, tuple) else list(value)
    raise WrongTypeError("a list of strings")


def duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    raise WrongTypeError("a datetime.timedelta")


def whole_number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise WrongTypeError("a whole number")


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise WrongTypeError("True or False")


def claims_hook(value: Any) -> ClaimsHook | None:
    """Return what the dotted path names. Raises ImportError."""
    if value in (None, ""):
        return None
    if isinstance(value, str):
        return cast(ClaimsHook, import_string(value))
    raise WrongTypeError("a dotted path, or None")


def user_rule(value: Any) -> UserRule | None:
    """Return what the dotted path names. Raises ImportError."""
    return cast(UserRule | None, claims_hook(value))


def user_language(value: Any) -> UserLanguage | None:
    """Return what the dotted path names. Raises ImportError."""
    return cast(UserLanguage | None, claims_hook(value))


def serializer_class(value: Any) -> type[Any] | None:
    """Return what the dotted path names. Raises ImportError."""
    return cast(type[Any] | None, claims_hook(value))
