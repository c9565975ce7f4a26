"""DRF's parsers, with a 400 for the bodies that make DRF's own raise a server error."""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser, FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request


class _Careful:
    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)  # type: ignore[misc]
        except (LookupError, RecursionError, ValueError) as error:
            # An unknown charset, bytes not valid in it, or JSON nested deeper than Python's stack.
            reason = _("The body could not be read: %(error)s.")
            raise ParseError(reason % {"error": type(error).__name__}) from None


class CarefulJSONParser(_Careful, JSONParser):
    strict = True  # whatever the project's STRICT_JSON is


class CarefulFormParser(_Careful, FormParser):
    pass


class CarefulMultiPartParser(_Careful, MultiPartParser):
    pass


class AnyTypeParser(CarefulFormParser):
    """
    Returns the members of a JSON object or the fields of a form, and ignores the media type.

    Raises UnsupportedMediaType for a body that is neither.
    """

    # As a kind of form parser it gets a body of limited size from DRF.
    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read()
        try:
            found = json.loads(body)
        except (RecursionError, ValueError):
            found = None
        if isinstance(found, dict):
            return found
        form = super().parse(BytesIO(body), media_type, parser_context)
        if not any(form.values()):
            raise UnsupportedMediaType(media_type or "")
        return form


class AnyTypeNegotiation(DefaultContentNegotiation):
    """
    Reads a body of an unknown or missing media type too.

    For views that take something back: ``navigator.sendBeacon`` sends text/plain when a page closes,
    and small clients send no Content-Type. A 415 would leave their token valid.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        return super().select_parser(request, parsers) or AnyTypeParser()
