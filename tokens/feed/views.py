"""The feed by polling, and as server-sent events."""

import logging
import re
from contextvars import copy_context
from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIRequest
from django.db import Error
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from .. import signals
from ..api import schema, schema_groups
from ..api.endpoint import Endpoint
from ..api.http import Unavailable, forbid_storing
from ..api.openapi import OpenApiParameter, OpenApiResponse, extend_schema
from ..api.serializers import EmptySerializer
from ..database.places import Place, place_of
from ..errors import KeyRingError, with_hint
from ..models import DeniedToken
from . import push, readers
from .documents import MEDIA_TYPE
from .publication import Document, NothingToServe, publications
from .readers import Admission

METHODS = "GET, HEAD, OPTIONS"
CHALLENGE = 'Bearer realm="denials"'
CURSOR = "after"
EVENT_STREAM = "text/event-stream"

# Characters. Compression halves a whole list; a short increment is not worth the time.
COMPRESSED_FROM = 20_000
_ACCEPTS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


class DenialsView(Endpoint):
    """Return what is denied, as a document that a published key signs."""

    serializer_class = EmptySerializer  # DRF's own schema generator asks every view for one.

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.get(request)

    @extend_schema(
        operation_id="tokens_denials",
        summary="Get what is denied",
        tags=[schema_groups.SERVICES],
        parameters=[
            OpenApiParameter(
                CURSOR, str, description="The cursor of the last document: what follows it."
            )
        ],
        responses={
            (200, MEDIA_TYPE): str,
            304: OpenApiResponse(None, "The copy with the ETag of If-None-Match is current."),
            (401, "application/json"): schema.DETAIL,
            (503, "application/json"): schema.DETAIL,
        },
    )
    def get(self, request: HttpRequest) -> HttpResponseBase:
        # Without DRF's negotiation: a client that accepts no media type of DRF gets the document too.
        return denials(request)


def denials(request: HttpRequest) -> HttpResponseBase:
    if (refusal := _refused_method(request)) is not None:
        return refusal
    publication = publications.of(DeniedToken)
    try:
        admission = readers.admitted(request)
        if admission is None:
            return _unauthorized()
        publication.refresh()
        document = publication.document(request.GET.get(CURSOR) or None)
    except (Error, KeyRingError, NothingToServe) as error:
        return _unavailable(error)
    response = _answer(request, document)
    if admission.place is None:
        response["Cache-Control"] = "public, max-age=1"
    else:
        response["Cache-Control"] = "private, max-age=1"
        patch_vary_headers(response, ["Authorization"])
    etag = response["ETag"]
    return get_conditional_response(request, etag=etag, response=response) or response


def _answer(request: HttpRequest, document: Document) -> HttpResponse:
    is_gzip = len(document.text) > COMPRESSED_FROM and _ACCEPTS_GZIP.search(
        request.headers.get("Accept-Encoding", "")
    )
    content = document.compressed if is_gzip else document.text
    response = HttpResponse(content, content_type=MEDIA_TYPE)
    response["ETag"] = document.etag
    if is_gzip:
        response["Content-Encoding"] = "gzip"
        response["ETag"] = f'{document.etag[:-1]}-gzip"'  # It has other bytes (RFC 9110 §8.8.3.3).
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@csrf_exempt  # It changes nothing.
@login_not_required
async def events(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Return a stream that ends when the client leaves, the key is revoked or the server stops."""
    if (refusal := _refused_method(request)) is not None:
        return refusal
    if not isinstance(request, ASGIRequest):
        detail = "This server runs WSGI, which cannot push. Poll the feed, or serve it by ASGI."
        return _detail(detail, HTTPStatus.NOT_IMPLEMENTED)
    try:
        admission, place = await sync_to_async(_admit)(request)
    except Error as error:
        return _unavailable(error)
    if admission is None:
        return _unauthorized()
    # When a browser's EventSource connects again, it sends the last id.
    after = request.headers.get("Last-Event-ID") or request.GET.get(CURSOR) or None
    response: HttpResponseBase
    if request.method == "HEAD":
        response = HttpResponse(content_type=EVENT_STREAM)
    else:
        chunks = push.stream(place, copy_context(), admission, after)
        response = StreamingHttpResponse(chunks, content_type=EVENT_STREAM)
    # A proxy must neither buffer nor compress the stream: both delay its events.
    response["Cache-Control"] = "no-store, no-transform"
    response["X-Accel-Buffering"] = "no"
    response["Content-Encoding"] = "identity"
    return response


def _admit(request: HttpRequest) -> tuple[Admission | None, Place]:
    return readers.admitted(request), place_of(DeniedToken)


def _refused_method(request: HttpRequest) -> HttpResponse | None:
    if request.method in {"GET", "HEAD"}:
        return None
    if request.method == "OPTIONS":
        response = HttpResponse(status=HTTPStatus.NO_CONTENT)
        del response["Content-Type"]
    else:
        response = _detail(f'Method "{request.method}" not allowed.', HTTPStatus.METHOD_NOT_ALLOWED)
    response["Allow"] = METHODS
    return response


def _unauthorized() -> HttpResponse:
    response = _detail("The feed requires the key of a reader.", HTTPStatus.UNAUTHORIZED)
    response["WWW-Authenticate"] = CHALLENGE
    return response


def _unavailable(error: Exception) -> HttpResponse:
    signals.log("feed_unavailable", level=logging.ERROR, detail=with_hint(error))
    response = _detail(str(Unavailable.default_detail), HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = "1"
    return response


def _detail(text: str, status: HTTPStatus) -> HttpResponse:
    response = JsonResponse({"detail": text}, status=status)
    forbid_storing(response)
    return response
