"""
Charsets that Django cannot decode a request with.

While Django makes the request object, it decodes the query with the charset of Content-Type. A
charset such as rot13 raises there, before any middleware: the server answers 500 by itself, and
logs the whole address with its query.
"""

import codecs
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext_lazy as _

REFUSAL = _(
    "The Content-Type of the request is malformed, or its charset cannot be decoded. Use UTF-8."
)

# A key of the server's environ or scope, which no header can set.
_STATE = "tokens.content_type_refused"
_EVERY_BYTE = bytes(range(256))
# Which bytes they fail on differs between versions of Python.
_OF_HOST_NAMES = {"idna", "punycode"}
MAX_MEDIA_TYPE_LENGTH = 255  # characters: two names of at most 127 (RFC 6838 §4.2)


def prepare(
    environ: dict[str, Any] | None = None,
    scope: MutableMapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """
    Remove the parameters of a Content-Type that Django would fail on, and note that it had them.

    A receiver of ``request_started``, which Django sends before it makes the request object. Its
    exceptions would reach the server, so it raises none.
    """
    if environ is not None:
        content_type = environ.get("CONTENT_TYPE")
        query = environ.get("QUERY_STRING") or ""
        if not is_usable(content_type, query):
            environ["CONTENT_TYPE"] = _media_type(content_type)
            environ[_STATE] = True
    elif scope is not None:
        headers = scope.get("headers", ())
        # As ASGIRequest does with a header that was sent twice.
        content_type = b",".join(value for name, value in headers if name == b"content-type")
        if not is_usable(content_type.decode("latin-1"), scope.get("query_string") or ""):
            others = [header for header in headers if header[0] != b"content-type"]
            media_type = _media_type(content_type.decode("latin-1")).encode("latin-1")
            scope["headers"] = [*others, (b"content-type", media_type)]
            scope[_STATE] = True


def is_refused(request: HttpRequest) -> bool:
    """Return whether ``prepare`` has changed the Content-Type of this request."""
    return _STATE in request.META or _STATE in getattr(request, "scope", ())


def is_usable(content_type: Any, query: str | bytes) -> bool:
    """Return whether Django can read this Content-Type, and with its charset this query."""
    if not content_type:
        return True
    try:
        if ";" not in content_type and len(content_type) <= MAX_MEDIA_TYPE_LENGTH:
            return True
        charset = _charset(content_type)
        if charset is None or not query:
            return True
        raw_query = query if isinstance(query, bytes) else query.encode("latin-1")
        QueryDict(raw_query, encoding=charset)  # It also counts the fields.
        # UTF-16, UTF-7 and EBCDIC read another query than every proxy in front.
        return not raw_query.isascii() or raw_query.decode(charset) == raw_query.decode("ascii")
    except Exception:
        # Codecs raise what they like, and whatever is raised here Django would raise.
        return False


@lru_cache(maxsize=64)
def _charset(content_type: str) -> str | None:
    """
    Return the charset that Django will use, or None if that is its default.

    Raises an exception for a Content-Type that cannot be parsed, and for a charset that is not one
    of text.
    """
    charset = parse_header_parameters(content_type)[1].get("charset")
    if charset is None:
        return None
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        return None  # Django ignores an unknown name.
    if name in _OF_HOST_NAMES:
        raise UnicodeError(f"{name} is no charset of text.")
    _EVERY_BYTE.decode(charset, "replace")
    return charset


def _media_type(content_type: Any) -> str:
    media_type = str(content_type).partition(";")[0].strip()
    return media_type if len(media_type) <= MAX_MEDIA_TYPE_LENGTH else ""
