"""
Check passwords within the limits, for every entry point that accepts one.

``tokens.backends.SignInLimitBackend`` does so for all code that calls Django's ``authenticate``. The views
of this app call ``start``, which also begins a session.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from inspect import signature
from logging import WARNING
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model, load_backend
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError
from django.http import HttpRequest

from .. import clock, sessions, signals, watching
from ..client import Client, current_request, ip_address_of
from ..errors import TooManyAtOnce, TooManyAttempts, UserRefused
from ..models import username_from
from ..secret import Secret, hides_locals
from ..sessions import Check, TokenPair
from ..sessions.receivers import password_attempt, was_outdated
from .admission import Admission, look
from .in_flight import password_check
from .names import account_or_none, name_in, names_in

ATTEMPTS = 3  # to be counted, while others are counted at the same time

Refusal = TooManyAttempts | TooManyAtOnce
Credentials = Secret[dict[str, Any]]

# Attributes of a request: what refused its last attempt, and who signed in by Django's login().
_REFUSAL = "_tokens_sign_in_refusal"
_SIGNED_IN = "_tokens_signed_in"
# An attribute of a user: the path of the backend that knew the password.
_BACKEND = "_tokens_backend"

_is_checking: ContextVar[bool] = ContextVar("tokens_is_checking", default=False)


def authenticate(request: HttpRequest | None, **credentials: Any) -> Any:
    """
    Return the active user with these credentials, or None, as Django's ``authenticate`` does.

    The request and the credentials are those that your authentication backends take. Without a name
    among them, such as with a code, the attempt counts against the client's network only.

    Raises TooManyAttempts and TooManyAtOnce.
    """
    hidden = Secret(credentials)
    del credentials
    user, admission = _attempt_and_report(request, hidden)
    if user is not None:
        admission.succeeded_for_good()
    return user


def start(
    request: HttpRequest, *, client: Client, check: Check | None = None, **credentials: Any
) -> TokenPair | None:
    """
    Start a session for the user that ``authenticate`` would return; return its pair, or None.

    An error in a receiver of ``user_logged_in`` does not undo it. Raises TooManyAttempts and
    TooManyAtOnce.
    """
    hidden = Secret(credentials)
    del credentials
    with watching.watched("sign_in") as watched:
        pair = _start(request, hidden, client=client, check=check)
        watched.outcome = "wrong" if pair is None else "ok"
    return pair


def _start(
    request: HttpRequest, credentials: Credentials, *, client: Client, check: Check | None
) -> TokenPair | None:
    user, admission = _attempt_and_report(request, credentials)
    if user is None:
        return None
    # One commit for both, because a commit waits for the disk, and on SQLite for the lock.
    try:
        pair = sessions.start(user, client=client, check=check, in_transaction=admission.give_back)
    except UserRefused as error:
        # The user was deleted, deactivated or given another password while this one was checked.
        signals.log("sign_in_outdated", user=user.pk, reason=type(error).__name__)
        admission.failed()
        return None
    except DatabaseError:
        raise
    except Exception:
        admission.succeeded()  # The password was right: a hook that fails costs no attempt.
        raise
    user_logged_in.send_robust(sender=type(user), request=request, user=user)
    return pair


def attempt(request: HttpRequest | None, credentials: Credentials) -> tuple[Any, Admission]:
    """
    Return the active user with these credentials, or None; and the attempt, which was counted.

    Raises TooManyAttempts, also after a check of the password, and TooManyAtOnce, before one.
    """
    with watching.watched("check_password") as watched:
        user, admission = _attempt(request, credentials)
        watched.outcome = "wrong" if user is None else "ok"
    return user, admission


def _attempt(request: HttpRequest | None, credentials: Credentials) -> tuple[Any, Admission]:
    request = _plain(request) or current_request()
    names = names_in(credentials.reveal())
    admission = _look(request, names)
    try:
        with password_check(reserved=bool(admission.ways)):
            admission = _taken(request, names, admission)
            user = _find_user(request, next(iter(names), None), credentials)
    except TooManyAtOnce as busy:
        refuse(request, busy)
        raise
    if user is not None and (not user.is_active or was_outdated(user)):
        user = None
    if admission.lets_in(user):
        if request is not None:
            setattr(request, _REFUSAL, None)  # An earlier attempt of the same request.
        return user, admission
    admission.failed()
    if admission.wait is not None:
        refusal = TooManyAttempts(admission.wait)
        _log_refusal(request, names, refusal)
        raise refusal
    return None, admission


def is_checking() -> bool:
    """Return whether an attempt is being checked, so that a backend that it asks counts no other."""
    return _is_checking.get()


def refuse(request: HttpRequest | None, refusal: Refusal) -> None:
    """Store how this request was refused, for ``refusal_of``."""
    request = _plain(request) or current_request()
    if request is not None:
        setattr(request, _REFUSAL, refusal)


def refusal_of(request: HttpRequest) -> Refusal | None:
    """Return what refused the last attempt of this request to sign in, if anything did."""
    return getattr(request, _REFUSAL, None)


def signed_in_by(request: HttpRequest) -> Any:
    """Return the user that signed in by Django's ``login`` during this request, or None."""
    return getattr(request, _SIGNED_IN, None)


def after_login(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Log the sign-in. Let Django's session name the backend that knew the password."""
    signals.log("signed_in", user=user.pk, address=_address_of(request))
    if request is not None:
        setattr(_plain(request), _REFUSAL, None)  # The view has let the user in by another way.
    known_by = user.__dict__.get(_BACKEND)
    if request is None or known_by is None or getattr(user, "backend", None) == known_by:
        return
    # So no user is signed out when a project takes this app's backend out of its settings.
    user.backend = known_by
    if BACKEND_SESSION_KEY in getattr(request, "session", ()):
        request.session[BACKEND_SESSION_KEY] = known_by
        setattr(_plain(request), _SIGNED_IN, user)


def after_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Log the failed sign-in without the name that was typed, which may be a password."""
    request = _plain(request) or current_request()
    if request is not None and refusal_of(request) is not None:
        return  # It has a line already.
    account, address = account_or_none(name_in(credentials)), _address_of(request)
    signals.log("sign_in_failed", level=WARNING, account=account, address=address)


def inner_backends() -> Iterator[tuple[Any, str]]:
    """Yield the project's other authentication backends, and the path of each."""
    for path in settings.AUTHENTICATION_BACKENDS:
        backend = load_backend(path)
        if not getattr(backend, "limits_sign_ins", False):
            yield backend, path


def _attempt_and_report(
    request: HttpRequest | None, credentials: Credentials
) -> tuple[Any, Admission]:
    """Do as ``attempt``, and send ``user_login_failed`` for a password that was wrong."""
    user, admission = attempt(request, credentials)
    if user is None:
        named = {get_user_model().USERNAME_FIELD: name_in(credentials.reveal())}
        user_login_failed.send(sender=__name__, credentials=named, request=request)
    return user, admission


def _look(request: HttpRequest | None, names: Sequence[str]) -> Admission:
    try:
        return look(request, *names, now=clock.now())
    except TooManyAttempts as error:
        _log_refusal(request, names, error)
        raise


def _taken(request: HttpRequest | None, names: Sequence[str], admission: Admission) -> Admission:
    """Return the attempt after it was counted, which may be another one if others came first."""
    for _ in range(ATTEMPTS):
        try:
            admission.take()
        except TooManyAttempts as error:
            # The last place has just been taken. There may be another way in.
            refusal, admission = error, _look(request, names)
        else:
            return admission
    _log_refusal(request, names, refusal)
    raise refusal


def _log_refusal(request: HttpRequest | None, names: Sequence[str], error: TooManyAttempts) -> None:
    signals.log(
        "sign_in_not_admitted",
        account=account_or_none(next(iter(names), None)),
        address=_address_of(request),
        wait=f"{error.retry_after}s",
    )


@hides_locals
def _find_user(request: HttpRequest | None, name: str | None, credentials: Credentials) -> Any:
    """Return the first user that a backend finds by these credentials. Backends take plain text."""
    given = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in credentials.reveal().items()
    }
    with password_attempt(str(given.get("password", ""))), _checking():
        try:
            return _ask_backends(request, given)
        except (ValidationError, ValueError, OverflowError):
            if name is None or username_from(name) is not None:
                raise
    # ModelBackend has asked the database for a name that the field cannot hold, such as "abc" where it
    # is a number. As ModelBackend does for an unknown name: hash, so that it takes as long.
    get_user_model()().set_password(str(given.get("password", "")))
    return None


def _ask_backends(request: HttpRequest | None, credentials: dict[str, Any]) -> Any:
    """Ask each backend that takes these credentials, as Django's ``authenticate`` does."""
    for backend, path in inner_backends():
        try:
            signature(backend.authenticate).bind(request, **credentials)
        except TypeError:
            continue
        try:
            user = backend.authenticate(request, **credentials)
        except PermissionDenied:
            return None  # No other backend may be asked.
        if user is not None:
            user.backend = path
            setattr(user, _BACKEND, path)
            return user
    return None


@contextmanager
def _checking() -> Iterator[None]:
    token = _is_checking.set(True)
    try:
        yield
    finally:
        _is_checking.reset(token)


def _address_of(request: HttpRequest | None) -> str | None:
    return None if request is None else ip_address_of(request)


def _plain(request: Any) -> Any:
    """Return Django's request: DRF's has it inside."""
    return getattr(request, "_request", request)
