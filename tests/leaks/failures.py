"""
What breaks while a door is used. Each stand-in has the parameters of what it replaces, because a
report shows them.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from unittest import mock

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import OperationalError, connection
from django.db.models.signals import post_save, pre_save
from django.dispatch import Signal
from django.http.response import HttpResponseBase
from jwt.algorithms import HMACAlgorithm
from rest_framework import renderers

from tokens import signals
from tokens.api.renderers import BrowsableAPIRenderer
from tokens.models import Session
from tokens.testing import forget

Failure = Callable[[], AbstractContextManager[Any]]

MANY = 40  # More statements than any door runs.

_failing: set[str] = set()
_render_json = renderers.JSONRenderer.render
_set_any_cookie = HttpResponseBase.set_cookie


class Broken(Exception):
    """An error that nothing expects."""


def fail(error: type[Exception] = Broken) -> Any:
    # As drivers of databases do: the error of another library is the cause.
    try:
        int("broken inside")
    except ValueError as cause:
        raise error("broken on purpose") from cause


def may_fail(name: str) -> None:
    if name in _failing:
        fail()


def rule(user: Any) -> bool:
    may_fail("rule")
    return True


def claims(session: Session) -> dict[str, Any]:
    may_fail("hook")
    return {"plan": "pro"}


@contextmanager
def told(name: str) -> Iterator[None]:
    _failing.add(name)
    try:
        yield
    finally:
        _failing.discard(name)


@contextmanager
def statement(number: int, error: type[Exception]) -> Iterator[None]:
    """Let the statement with this number fail, and every later one."""
    left = number

    def execute(run: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        nonlocal left
        left -= 1
        return fail(error) if left < 0 else run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


@contextmanager
def replaced(owner: Any, **functions: Any) -> Iterator[None]:
    forget()
    with mock.patch.multiple(owner, **functions):
        yield


@contextmanager
def receiver(signal: Signal, sender: Any = None) -> Iterator[None]:
    def receive(**arguments: Any) -> None:
        fail()

    signal.connect(receive, sender=sender)
    try:
        yield
    finally:
        signal.disconnect(receive, sender=sender)


def _sign(self: Any, msg: bytes, key: bytes) -> bytes:
    return fail()  # type: ignore[no-any-return]


def _verify(self: Any, msg: bytes, key: bytes, sig: bytes) -> bool:
    return fail()  # type: ignore[no-any-return]


def _from_jwk(jwk: Any) -> Any:
    return fail()


def _check_key_length(self: Any, key: Any) -> Any:
    return fail()


def _decrypt(self: Any, msg: Any, ttl: Any = None) -> bytes:
    return fail()  # type: ignore[no-any-return]


def _encrypt(self: Any, data: bytes) -> bytes:
    return fail()  # type: ignore[no-any-return]


def _derive(self: Any, key_material: bytes) -> bytes:
    return fail()  # type: ignore[no-any-return]


def _hash(self: Any, password: str, salt: str) -> str:
    return fail()  # type: ignore[no-any-return]


def _verify_hash(self: Any, password: str, encoded: str) -> bool:
    return fail()  # type: ignore[no-any-return]


def _must_update(self: Any, decoded: str) -> bool:
    return fail()  # type: ignore[no-any-return]


def _render(
    self: Any, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
) -> Any:
    # The client of the test renders its body without a context.
    return fail() if renderer_context else _render_json(self, data)


def _set_cookie(self: Any, key: str, value: str = "", **attributes: Any) -> None:
    # Django's own cookies are set again on the page about the failure.
    if "latchkey" in key:
        fail()
    _set_any_cookie(self, key, value, **attributes)


@contextmanager
def rendering() -> Iterator[None]:
    with (
        replaced(renderers.JSONRenderer, render=_render),
        replaced(renderers.TemplateHTMLRenderer, render=_render),
        replaced(BrowsableAPIRenderer, get_context=_render),
    ):
        yield


FAILURES: dict[str, Failure] = {
    "nothing": partial(told, ""),
    "the claims hook": partial(told, "hook"),
    "the user rule": partial(told, "rule"),
    "the view": partial(told, "view"),
    "a middleware": partial(told, "middleware"),
    "signing": partial(replaced, HMACAlgorithm, sign=_sign),
    "verifying": partial(replaced, HMACAlgorithm, verify=_verify),
    "loading a key": partial(replaced, HMACAlgorithm, from_jwk=staticmethod(_from_jwk)),
    "checking a key": partial(replaced, HMACAlgorithm, check_key_length=_check_key_length),
    "unsealing": partial(replaced, MultiFernet, decrypt=_decrypt),
    "sealing": partial(replaced, Fernet, encrypt=_encrypt),
    "deriving": partial(replaced, HKDF, derive=_derive),
    "hashing": partial(replaced, MD5PasswordHasher, encode=_hash),
    "verifying a password": partial(replaced, MD5PasswordHasher, verify=_verify_hash),
    "upgrading a hash": partial(replaced, MD5PasswordHasher, must_update=_must_update),
    "the renderer": rendering,
    "setting a cookie": partial(replaced, HttpResponseBase, set_cookie=_set_cookie),
    "a receiver of user_logged_in": partial(receiver, user_logged_in),
    "a receiver of user_login_failed": partial(receiver, user_login_failed),
    "a receiver of pre_save": partial(receiver, pre_save, Session),
    "a receiver of post_save": partial(receiver, post_save, Session),
    "a receiver of a user's post_save": lambda: receiver(post_save, get_user_model()),
    **{
        f"a receiver of {name}": partial(receiver, signal)
        for signal, name in signals.SIGNALS.items()
    },
    # Answered with 503, without a traceback.
    **{
        f"statement {n}: database": partial(statement, n, OperationalError)
        for n in range(0, MANY, 4)
    },
    **{f"statement {n}: unexpected": partial(statement, n, Broken) for n in range(MANY)},
}
