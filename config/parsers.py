"""
DRF's parsers, made safe against bodies that are too large or too deep.

DRF reads JSON from a stream, past Django's DATA_UPLOAD_MAX_MEMORY_SIZE.
"""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The request's body is too large."
    default_code = "too_large"


class _Bounded:
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request = (parser_context or {})["request"]
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if limit is not None and int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise BodyTooLarge
        try:
            return super().parse(stream, media_type, parser_context)  # type: ignore[misc]
        except (RecursionError, ValueError) as error:
            # Nested deeper than Python's stack, or bytes that are not of the declared charset.
            raise ParseError(f"The body could not be read: {type(error).__name__}.") from None


class BoundedJSONParser(_Bounded, JSONParser):
    pass


class BoundedFormParser(_Bounded, FormParser):
    pass


class BoundedMultiPartParser(_Bounded, MultiPartParser):
    pass
