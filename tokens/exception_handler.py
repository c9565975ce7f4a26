"""
Token errors as answers, for DRF's EXCEPTION_HANDLER.

Apart from ``http``, because it imports DRF's views, which import the authentication class.
"""

import logging
from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from .errors import KeyRingError, TokenError
from .http import Unavailable, body_refusal

logger = logging.getLogger("tokens")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer token errors as 401, key ring trouble as 503, and the rest as DRF does."""
    if isinstance(error, TokenError):
        error = body_refusal(error)
    elif isinstance(error, KeyRingError):
        logger.error("key ring: %s", error)
        error = Unavailable()
    return drf_exception_handler(error, context)
