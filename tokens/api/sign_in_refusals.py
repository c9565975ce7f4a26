"""The answer to an attempt to sign in that has to wait, in views of other packages and of the admin."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework.exceptions import Throttled

from ..errors import TooManyAtOnce, TooManyAttempts
from .http import TOO_MANY_ATTEMPTS, TooBusy


def refused_sign_in(
    request: HttpRequest, refusal: TooManyAttempts | TooManyAtOnce, *, as_page: bool
) -> HttpResponse:
    """Return a page or JSON: 429, or 503 for TooManyAtOnce, with Retry-After."""
    is_busy = isinstance(refusal, TooManyAtOnce)
    status = 503 if is_busy else 429
    if as_page:
        context = {"retry_after": refusal.retry_after, "is_busy": is_busy}
        response = render(request, "tokens/too_many_attempts.html", context, status=status)
    else:
        error = TooBusy() if is_busy else Throttled(refusal.retry_after, str(TOO_MANY_ATTEMPTS))
        response = JsonResponse({"detail": str(error.detail)}, status=status)
    if is_busy:
        # Django would log each as an error, and mail it to ADMINS.
        response._has_been_logged = True  # type: ignore[attr-defined]
    response["Retry-After"] = str(refusal.retry_after)
    response["Cache-Control"] = "no-store"
    return response
