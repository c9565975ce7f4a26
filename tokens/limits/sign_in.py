"""
The limits on sign-ins, for every entry point that accepts a password.

An attempt counts against the client's network and against the account that it names, whether the
account exists or not. It is counted before the password is checked, so that a burst of parallel
attempts stays within the limit; a correct password gives nine tenths of it back. While an account
is over its limit, the networks from which its owner has signed in recently have a separate limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from logging import WARNING
from typing import Any

from django.contrib.auth import authenticate as django_authenticate
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from .. import clock, sessions, signals
from ..client import Client, ip_address_of
from ..conf import conf
from ..errors import TooManyAttempts, UserRefused
from ..models import EndReason, Session
from ..sessions import Check, TokenPair
from ..sessions.receivers import password_attempt, was_outdated
from . import counts
from .counts import Charge, network_of, parse_rate

# A correct password costs a tenth of a wrong one, so that many users behind one address can sign
# in. It still costs something, so that one user cannot fill the table of sessions without limit.
CORRECT_PASSWORD_GIVES_BACK = 0.9
# A network is known if one of the user's last KNOWN_SESSIONS sessions used it within KNOWN_FOR.
KNOWN_FOR = timedelta(days=30)
KNOWN_SESSIONS = 50
# An attempt inserts at most two rows. A failed one deletes more, so that the table stays small.
PRUNED_PER_FAILURE = 10

_ADMISSION = "_tokens_admission"


@dataclass(slots=True)
class Admission:
    """An attempt that was let in. It counts in full unless ``succeeded`` is called."""

    charges: tuple[Charge, ...]
    pending: bool = True

    def succeeded(self) -> None:
        """Give back the part of the charge that a correct password does not cost."""
        if self.pending:
            counts.give_back(self.charges, share=CORRECT_PASSWORD_GIVES_BACK)
        self.pending = False

    def failed(self) -> None:
        """Leave the attempt counted in full, and prune some rows of empty counts."""
        if self.pending and self.charges:
            counts.prune(limit=PRUNED_PER_FAILURE)
        self.pending = False


@sensitive_variables()
def authenticate(request: HttpRequest, **credentials: Any) -> Any:
    """
    Return the active user that Django's ``authenticate`` returns, or None.

    Raises TooManyAttempts, before any password is checked.
    """
    user, admission = _attempt(request, credentials)
    if user is not None:
        admission.succeeded()
    return user


@sensitive_variables()
def start(
    request: HttpRequest, *, client: Client, check: Check | None = None, **credentials: Any
) -> TokenPair | None:
    """
    Start a session for the user that ``authenticate`` would return; return its pair, or None.

    An error in a receiver of ``user_logged_in`` does not undo it. Raises TooManyAttempts.
    """
    user, admission = _attempt(request, credentials)
    if user is None:
        return None
    # One commit for both, because a commit waits for the disk, and on SQLite for the lock.
    try:
        pair = sessions.start(user, client=client, check=check, in_transaction=admission.succeeded)
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


def admit(request: HttpRequest, name: str, *, now: datetime | None = None) -> Admission:
    """
    Count an attempt to sign in as ``name``, and return it.

    Raises TooManyAttempts, and then counts nothing.
    """
    address = ip_address_of(request)
    try:
        return _admit(name, network_of(address), now=now or clock.now())
    except TooManyAttempts as error:
        account, wait = account_of(name), f"{error.retry_after}s"
        signals.log("sign_in_not_admitted", account=account, address=address, wait=wait)
        raise


def account_of(name: str) -> str:
    """
    Return the HMAC that stands for the account in tables and logs.

    The name itself is not stored, because users sometimes type a password into the name field.
    Spellings that some user model or database takes for the same name give the same HMAC.
    """
    normalised = get_user_model().normalize_username(name.strip()).casefold()
    value = normalised.encode("utf-8", "surrogatepass")
    return salted_hmac("tokens.sign_in", value, algorithm="sha256").hexdigest()[:32]


def limit_sign_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """
    Wrap a view that uses Django's AuthenticationForm, such as ``admin.site.login``, in the limits.

    The signal ``user_logged_in``, which Django's ``login`` sends, reports a correct password.
    """

    @wraps(view)
    def limited_view(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        name = request.POST.get("username") if request.method == "POST" else None
        if not name:
            return view(request, *args, **kwargs)
        try:
            admission = admit(request, name)
        except TooManyAttempts as error:
            return too_many_attempts(request, error)
        setattr(request, _ADMISSION, admission)
        response = view(request, *args, **kwargs)
        admission.failed()
        return response

    return limited_view


def after_login(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Log the sign-in, and report it to the attempt of a ``limit_sign_in`` view."""
    signals.log("signed_in", user=user.pk, address=ip_address_of(request) if request else None)
    admission: Admission | None = getattr(request, _ADMISSION, None)
    if admission:
        admission.succeeded()


def after_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Log the failed sign-in without the name that was typed, which may be a password."""
    name = credentials.get(get_user_model().USERNAME_FIELD) or credentials.get("username")
    account = account_of(name) if isinstance(name, str) else None
    address = ip_address_of(request) if request else None
    signals.log("sign_in_failed", level=WARNING, account=account, address=address)


def too_many_attempts(request: HttpRequest, error: TooManyAttempts) -> HttpResponse:
    """Return the page that says when to try again, with status 429."""
    context = {"retry_after": error.retry_after}
    response = render(request, "tokens/too_many_attempts.html", context, status=429)
    response["Retry-After"] = str(error.retry_after)
    response["Cache-Control"] = "no-store"
    return response


@sensitive_variables()
def _attempt(request: HttpRequest, credentials: dict[str, Any]) -> tuple[Any, Admission]:
    """Return the active user with these credentials, or None; and the attempt."""
    admission = admit(request, str(credentials[get_user_model().USERNAME_FIELD]))
    with password_attempt(str(credentials.get("password", ""))):
        user = django_authenticate(request, **credentials)
    if user is not None and user.is_active and not was_outdated(user):
        return user, admission
    admission.failed()
    return None, admission


def _admit(name: str, network: str, *, now: datetime) -> Admission:
    account = account_of(name)
    from_network = _charges(f"login {network}", conf.TOKENS_LOGIN_THROTTLE)
    on_account = _charges(f"login {account}", conf.TOKENS_ACCOUNT_THROTTLE)
    waits = counts.waits(from_network + on_account, now=now)
    if waits.keys() & {charge.caller for charge in from_network}:
        raise TooManyAttempts(max(waits.values()))
    if waits and _is_known(name, network, now=now):
        on_account = _charges(f"known {account} {network}", conf.TOKENS_ACCOUNT_THROTTLE)
        waits = counts.waits(on_account, now=now)
    if waits:
        raise TooManyAttempts(max(waits.values()))
    counts.take(from_network + on_account, now=now)
    return Admission(from_network + on_account)


def _charges(caller: str, rate: str) -> tuple[Charge, ...]:
    parsed = parse_rate(rate)
    return (Charge(caller, parsed),) if parsed else ()


def _is_known(name: str, network: str, *, now: datetime) -> bool:
    """Return whether the account's owner had a session from this network recently."""
    # A session that ended for any other reason may have been a thief's.
    unsuspicious = Q(ended_at=None) | Q(end_reason=EndReason.LOGOUT)
    of_owner = {f"user__{get_user_model().USERNAME_FIELD}": name.strip()}
    recent = Session.objects.filter(unsuspicious, refreshed_at__gt=now - KNOWN_FOR, **of_owner)
    addresses = recent.order_by("-started_at").values_list("ip_address", "refreshed_ip_address")
    return any(
        network_of(address) == network
        for pair in addresses[:KNOWN_SESSIONS]
        for address in pair
        if address
    )
