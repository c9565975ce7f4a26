"""DRF's parsers, with a 400 for the bodies that make DRF's own raise a server error."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser


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
            raise ParseError(f"The body could not be read: {type(error).__name__}.") from None


class CarefulJSONParser(_Careful, JSONParser):
    pass


class CarefulFormParser(_Careful, FormParser):
    pass


class CarefulMultiPartParser(_Careful, MultiPartParser):
    pass
