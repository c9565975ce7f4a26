"""
The verbs for async code: the same arguments, results and errors as the verb without the ``a``.

Nothing here blocks the event loop. What reaches the database runs in a thread, by one call of
``sync_to_async``, with the context of the caller: the current request, the language, the tenant. Django's
transactions are synchronous, and so is each verb that has one. ``aauthenticate`` needs no thread in
snapshot mode, and a token with a bad signature needs none anywhere.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async

from .. import clock, watching
from ..secret import RawToken, hide
from . import ending, lifecycle, naming, passwords, refreshing, revoking
from .authentication import (
    Authenticated,
    InThread,
    alook_up,
    in_sync_thread,
    read_claims,
    refuse_junk,
)
from .batches import judge_all

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


async def aauthenticate(
    raw_access: RawToken, *, now: datetime | None = None, in_thread: InThread = in_sync_thread
) -> Authenticated:
    """
    Do what ``authenticate`` does, without blocking the event loop.

    In snapshot mode nothing waits for the database, as long as the copy is within its bound.
    ``await found.auser()`` and ``await found.asession()`` then load what is not loaded yet. Outside of
    Django's requests, ``in_thread`` takes care of the thread's database connections. Raises TokenError.
    """
    raw_access = hide(raw_access)
    with watching.watched("authenticate"):
        return await alook_up(raw_access, now=now or clock.now(), in_thread=in_thread)


def _in_thread(verb: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return the verb as a coroutine function that runs it in a thread."""

    in_thread = sync_to_async(verb)

    @wraps(verb)
    async def averb(*args: P.args, **kwargs: P.kwargs) -> R:
        return await in_thread(*args, **kwargs)

    return _named(averb, verb)


def _of_token(verb: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return a verb whose first argument is a raw token, as ``_in_thread`` does; junk takes no thread."""
    name = next(iter(signature(verb).parameters))
    in_thread = sync_to_async(verb)

    @wraps(verb)
    async def averb(*args: P.args, **kwargs: P.kwargs) -> R:
        arguments, named = _with_hidden(name, args, kwargs)
        raw_token = arguments[0] if arguments else named.get(name)
        del args, kwargs  # So that no report of an exception shows the token.
        if raw_token is not None:
            refuse_junk(raw_token, now=named.get("now") or clock.now())
        return await in_thread(*arguments, **named)

    return _named(averb, verb)


def _with_hidden(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments with the first one, which has this name, as a Secret."""
    if args:
        return (hide(args[0]), *args[1:]), kwargs
    return args, {**kwargs, name: hide(kwargs[name])} if name in kwargs else kwargs


def _named(averb: F, verb: Callable[..., Any]) -> F:
    averb.__name__ = averb.__qualname__ = f"a{verb.__name__}"
    averb.__module__ = __name__
    return averb


averify = _of_token(lifecycle.verify)
arefresh = _of_token(refreshing.refresh)
arevoke = _of_token(lifecycle.revoke)
afind_by_refresh_token = _of_token(refreshing.find_by_refresh_token)
aread_claims = _of_token(read_claims)

astart = _in_thread(lifecycle.start)
aissue_access_token = _in_thread(lifecycle.issue_access_token)
aend = _in_thread(ending.end)
aend_all = _in_thread(ending.end_all)
aend_matching = _in_thread(ending.end_matching)
aend_others = _in_thread(ending.end_others)
arevoke_token = _in_thread(ending.revoke_token)
arevoke_everything = _in_thread(revoking.revoke_everything)
arevoke_user = _in_thread(revoking.revoke_user)
achange_password = _in_thread(passwords.change_password)
aname_device = _in_thread(naming.name_device)
ajudge_all = _in_thread(judge_all)
