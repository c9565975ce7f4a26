"""
The exceptions of this app as answers, for DRF's setting EXCEPTION_HANDLER.

It is not in ``http``, because it imports DRF's views, which import the authentication class.
"""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError
from rest_framework.exceptions import APIException, ParseError, Throttled
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from .. import signals
from ..errors import ClaimsError, KeyRingError, TokenError, TooManyAttempts
from .http import Unavailable, body_refusal, ring_unavailable

# The database is down, restarting, too slow, full, or read-only after a failover.
DATABASE_ERRORS = (OperationalError, InterfaceError, InternalError)


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The request's body is too large."
    default_code = "too_large"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """
    Answer token errors with 401, TooManyAttempts with 429, failures of the server with 503, and
    other exceptions as DRF does.

    A SuspiciousOperation that Django raises while it reads the body becomes 413 or 400; DRF would
    let it become an HTML page.
    """
    if isinstance(error, TokenError):
        error = body_refusal(error)
    elif isinstance(error, TooManyAttempts):
        error = Throttled(error.retry_after)
    elif isinstance(error, KeyRingError):
        error = ring_unavailable(error)
    elif isinstance(error, ClaimsError):
        signals.log("claims_refused", level=logging.ERROR, detail=error)
        error = Unavailable()
    elif isinstance(error, DATABASE_ERRORS):
        signals.log("database_unavailable", level=logging.ERROR, detail=error)
        error = Unavailable()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, SuspiciousOperation):
        error = ParseError("The request is malformed.")
    return drf_exception_handler(error, context)
