"""
Keep tokens, passwords and keys out of reports of errors, such as Django's mail and Sentry's events.

A report shows the local variables of every frame that an exception passed. So

- a token or a password travels as a ``Secret``, whose repr hides it. Read it by ``reveal()`` where it
  is used, and give it no name there: a local variable of a plain string is shown.
- a function that must give a plain string to other code is decorated with ``hides_locals``. If it
  raises, the report has each line of the traceback, and no local variables from there on.

- the form of a request is replaced by one with Secrets in it: ``hides_post``.

May import Django only.

    strength    which secrets can be guessed
"""

from collections.abc import Callable
from functools import wraps
from traceback import clear_frames
from typing import Any, Generic, NoReturn, ParamSpec, Self, TypeVar, cast

from django.http import HttpRequest, QueryDict
from django.views.decorators.debug import sensitive_post_parameters

__all__ = ["RawToken", "Secret", "hidden_form", "hide", "hides_locals", "hides_post"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Secret(Generic[T]):
    """
    A value that ``str``, ``repr``, ``format``, JSON and pickle do not show.

    It is no subclass of ``str``: of those, sentry-sdk sends the text and not the repr in most places.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        return self._value

    def __repr__(self) -> str:
        return "<Secret>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        # sentry-sdk copies the body of a request before it serializes it.
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A Secret cannot be pickled. Pass on what identifies it, such as a jti.")


# What a function takes that other projects call: it hides a plain string at once.
RawToken = str | Secret[str]


def hide(value: T | Secret[T]) -> Secret[T]:
    """Return the value as a Secret."""
    # Not isinstance(), which is slower for a generic class.
    return cast("Secret[T]", value) if type(value) is Secret else Secret(cast("T", value))


def hides_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Let no report of an exception show the local variables of the function and what it calls."""

    @wraps(function)
    def hiding(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            _clear(error)
            raise
        finally:
            # This frame is still running, so it cannot be cleared.
            del args, kwargs

    return hiding


def _clear(error: BaseException) -> None:
    """Clear the frames that the error and those behind it have left. Running frames stay as they are."""
    cleared: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and id(one) not in cleared:
            cleared.add(id(one))
            clear_frames(one.__traceback__)
            left += [one.__cause__, one.__context__]


def hidden_form(form: QueryDict, *names: str) -> QueryDict:
    """Return a copy of the form with a Secret for each value of these names that is not empty."""
    hidden: Any = form.copy()
    for name in names:
        if name in hidden:
            hidden.setlist(name, [hide(value) if value else value for value in form.getlist(name)])
    return hidden  # type: ignore[no-any-return]


def hides_post(
    *names: str, after: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Decorate a view, so that ``request.POST`` has a Secret for each value of these names.

    ``after`` True leaves plain values to the view, and hides them when it has answered or raised.
    """

    def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def hiding(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            if not after:
                _hide_post(request, names)
            try:
                return view(request, *args, **kwargs)
            finally:
                if after:
                    _hide_post(request, names)

        return sensitive_post_parameters(*names)(hiding)

    return decorator


def _hide_post(request: HttpRequest, names: tuple[str, ...]) -> None:
    request.POST = hidden_form(request.POST, *names)  # type: ignore[assignment]
