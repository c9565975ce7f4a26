"""
The exceptions of this app as answers, for DRF's setting EXCEPTION_HANDLER.

It is not in ``http``, because it imports DRF's views, which import the authentication class.
"""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ParseError, Throttled
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from .. import signals
from ..errors import ClaimsError, KeyRingError, TokenError, TooManyAtOnce, TooManyAttempts
from .http import (
    DATABASE_ERRORS,
    TOO_MANY_ATTEMPTS,
    TooBusy,
    Unavailable,
    body_refusal,
    database_unavailable,
    ring_unavailable,
)


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = _("The request's body is too large.")
    default_code = "too_large"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer the exceptions of ``as_api_exception`` by their status, and others as DRF does."""
    return drf_exception_handler(as_api_exception(error), context)


def as_api_exception(error: Exception) -> Exception:
    """
    Return the APIException for an error that has one: with 401 for token errors, 429 for
    TooManyAttempts, and 503 for failures of the server. Return other exceptions as they are.

    What Django raises while it reads the body becomes 413 or 400; DRF would let it become an HTML
    page.
    """
    if isinstance(error, TokenError):
        error = body_refusal(error)
    elif isinstance(error, TooManyAttempts):
        error = Throttled(error.retry_after, str(TOO_MANY_ATTEMPTS))
    elif isinstance(error, TooManyAtOnce):
        error = TooBusy()
    elif isinstance(error, KeyRingError):
        error = ring_unavailable(error)
    elif isinstance(error, ClaimsError):
        signals.log("claims_refused", level=logging.ERROR, detail=error)
        error = Unavailable()
    elif isinstance(error, DATABASE_ERRORS):
        error = database_unavailable(error)
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, SuspiciousOperation | UnreadablePostError):
        error = ParseError(gettext("The request is malformed."))
    return error
