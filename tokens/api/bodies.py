"""
Bodies without a Content-Length: sent in chunks, or over HTTP/2.

Django reads no more than Content-Length says, which is nothing here, and DRF reads no body of
length 0.
"""

from io import SEEK_END, BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError

PIECE = 65536  # bytes


class LengthRequired(APIException):
    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_detail = _("This server cannot read a chunked body. Send a Content-Length.")
    default_code = "length_required"


def make_readable(request: HttpRequest) -> None:
    """
    Let Django and DRF read the body of this request, whether or not it has a Content-Length.

    Raises RequestDataTooBig above DATA_UPLOAD_MAX_MEMORY_SIZE, ParseError if the server cannot read
    the body, and LengthRequired if the server does not know where it ends.
    """
    if request.META.get("CONTENT_LENGTH"):
        return  # A server refuses a request with both lengths: that is how requests are smuggled.
    if hasattr(request, "scope"):
        # Django has already stored the body of an ASGI request, in a temporary file.
        if request._stream.seekable():
            _set_length(request, request._stream.seek(0, SEEK_END))
            request._stream.seek(0)
    elif request.META.get("wsgi.input_terminated"):
        body = _read(request.META["wsgi.input"])
        request.META["wsgi.input"] = stream = BytesIO(body)
        # Another middleware may have asked for the body before, and found none.
        for name in ("_body", "_post", "_files"):
            request.__dict__.pop(name, None)
        request.__dict__.update(_stream=stream, _read_started=False)
        _set_length(request, len(body))
    elif request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired


def _set_length(request: HttpRequest, length: int) -> None:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit is not None and length > limit:
        raise RequestDataTooBig("Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.")
    if length:
        request.META["CONTENT_LENGTH"] = str(length)


def _read(stream: Any) -> bytes:
    """Return the body, or as much of it as shows that it is too large."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = bytearray()
    try:
        while piece := stream.read(PIECE):
            body += piece
            if limit is not None and len(body) > limit:
                break
    except Exception as error:
        # A malformed chunk, or the client is gone. Each server has exceptions of its own for it,
        # and closes the connection afterwards.
        reason = gettext("The body could not be read: %(error)s.")
        raise ParseError(reason % {"error": type(error).__name__}) from None
    return bytes(body)
