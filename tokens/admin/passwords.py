"""The two pages of an admin site on which staff type their own password."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from ..api.sign_in_refusals import refused_sign_in
from ..errors import TooManyAtOnce, TooManyAttempts
from ..limits import passwords
from ..limits.in_flight import password_check
from ..secret import hides_locals, hides_post

_PROTECTED = "_tokens_protects_passwords"


def protect_passwords(site: AdminSite) -> None:
    """
    Limit the guesses at the site's page for a new password, and hide passwords from error reports.

    Attempts to sign in are limited by ``SignInLimitBackend``. Call it for an admin site of your own
    before its URLs are loaded. A second call changes nothing.
    """
    if is_protected(site):
        return
    changed: Any = site
    changed.login = hides_post("password", after=True)(hides_locals(site.login))
    names = ("old_password", "new_password1", "new_password2")
    changed.password_change = hides_post(*names, after=True)(
        _limited(hides_locals(site.password_change))
    )
    setattr(site, _PROTECTED, True)


def is_protected(site: AdminSite) -> bool:
    """Return whether ``protect_passwords`` was called for the site."""
    return getattr(site, _PROTECTED, False)


def _limited(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view that counts each attempt at the current password of its user."""

    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method != "POST" or not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        try:
            with password_check(reserved=True):
                passwords.take(request.user)
                return view(request, *args, **kwargs)
        except (TooManyAttempts, TooManyAtOnce) as refusal:
            return refused_sign_in(request, refusal, as_page=True)

    return limited
