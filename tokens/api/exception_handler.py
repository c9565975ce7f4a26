"""
Token errors as answers, for DRF's EXCEPTION_HANDLER.

Apart from ``http``, because it imports DRF's views, which import the authentication class.
"""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError
from rest_framework.exceptions import APIException, ParseError, Throttled
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from .. import signals
from ..errors import KeyRingError, TokenError, TooManyAttempts
from .http import Unavailable, body_refusal, ring_unavailable

# Gone, restarted, too slow, full, or read-only after a failover: never the caller's doing.
DATABASE_TROUBLE = (OperationalError, InterfaceError, InternalError)


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The request's body is too large."
    default_code = "too_large"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """
    Answer token errors as 401, too many attempts as 429, the server's own trouble as 503, and the
    rest as DRF does.

    What Django finds suspicious while the body is read, DRF would pass on to an HTML page.
    """
    if isinstance(error, TokenError):
        error = body_refusal(error)
    elif isinstance(error, TooManyAttempts):
        error = Throttled(error.retry_after)
    elif isinstance(error, KeyRingError):
        error = ring_unavailable(error)
    elif isinstance(error, DATABASE_TROUBLE):
        signals.log("database_unavailable", level=logging.ERROR, detail=error)
        error = Unavailable()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    elif isinstance(error, SuspiciousOperation):
        error = ParseError("The request is malformed.")
    return drf_exception_handler(error, context)
