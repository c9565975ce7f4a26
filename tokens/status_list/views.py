"""The lists, and the list of lists. Pages of every origin may read them, without credentials (§8.1)."""

import re
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt

from .. import clock
from ..api import public
from ..conf import conf
from ..database import places
from . import serving
from .lists import MEDIA_TYPE, uri_of

# RFC 9110 §12.4.2: a weight of zero means "not acceptable".
_ACCEPTS_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)


@csrf_exempt
@login_not_required
@places.non_atomic_requests
def status_list(request: HttpRequest, number: str, **kwargs: Any) -> HttpResponseBase:
    """Return one Status List Token (§8.2)."""
    return _answer(request, lambda request: _list(request, int(number)))


@csrf_exempt
@login_not_required
@places.non_atomic_requests
def aggregation(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    """Return the addresses of all lists (§9.3)."""
    return _answer(request, _aggregation)


def _answer(request: HttpRequest, read: public.Read) -> HttpResponseBase:
    return public.answer(request, _read(read), event="status_list_unavailable")


def _read(read: public.Read) -> public.Read:
    def reading(request: HttpRequest) -> HttpResponseBase:
        try:
            return read(request)
        except serving.NoPublicKey:
            return public.refusal(HTTPStatus.NOT_FOUND, "The signing key has no public part.")

    return reading


def _list(request: HttpRequest, number: int) -> HttpResponseBase:
    if "time" in request.GET:
        # §8.4: statuses of the past are not kept; §12.7 recommends not to.
        return public.refusal(HTTPStatus.NOT_IMPLEMENTED, "Lists of the past are not available.")
    if not _is_accepted(request):
        return public.refusal(
            HTTPStatus.NOT_ACCEPTABLE, f"The list is available as {MEDIA_TYPE} only."
        )
    signed = serving.signed_list(number, now=clock.now())
    if signed is None:
        return public.refusal(HTTPStatus.NOT_FOUND, "There is no such list.")
    # §8.2: a list in the JWT format should be compressed: base64 undoes a part of its own compression.
    is_gzipped = bool(_ACCEPTS_GZIP.search(request.headers.get("Accept-Encoding", "")))
    response = HttpResponse(signed.gzipped if is_gzipped else signed.token, content_type=MEDIA_TYPE)
    etag = quote_etag(f"{signed.etag}-gzip" if is_gzipped else signed.etag)
    if is_gzipped:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = etag
    # Readers follow the ttl and exp of the list (§8.2). Caches keep it no longer than this process does.
    response["Cache-Control"] = f"public, max-age={signed.max_age}"
    patch_vary_headers(response, ["Accept", "Accept-Encoding"])
    return get_conditional_response(request, etag=etag, response=response) or response


def _is_accepted(request: HttpRequest) -> bool:
    try:
        return request.accepts(MEDIA_TYPE)
    except (LookupError, ValueError):
        return True  # A header that Django cannot read may be disregarded (RFC 9110 §12.5.1).


def _aggregation(request: HttpRequest) -> HttpResponseBase:
    base = conf.TOKENS_STATUS_LIST_URL
    if not base:
        return public.refusal(HTTPStatus.NOT_FOUND, "There are no lists.")
    addresses = [uri_of(number, base) for number in serving.numbers(now=clock.now())]
    response = JsonResponse({"status_lists": addresses})
    response["Cache-Control"] = "public, no-cache"
    return response
