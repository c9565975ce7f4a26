"""``/.well-known/jwks.json``: the public keys, with which other services verify tokens."""

import hashlib
import logging

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from .. import keyring, signals
from ..errors import KeyRingError, with_hint
from .exception_handler import DATABASE_ERRORS
from .http import Unavailable


@csrf_exempt
@require_safe
def jwks(request: HttpRequest) -> HttpResponseBase:
    """Return the public keys as a JWK Set (RFC 7517 §5), with the media type of §8.5.2."""
    try:
        response = JsonResponse(keyring.jwks(), content_type="application/jwk-set+json")
    except (KeyRingError, *DATABASE_ERRORS) as error:
        signals.log("jwks_unavailable", level=logging.ERROR, detail=with_hint(error))
        return _unavailable()
    # Caches may store it and must revalidate it: a stale copy may lack the key of a new token.
    response["Cache-Control"] = "public, no-cache"
    etag = quote_etag(hashlib.sha256(response.content).hexdigest())
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def _unavailable() -> HttpResponse:
    response = JsonResponse({"detail": Unavailable.default_detail}, status=Unavailable.status_code)
    response["Cache-Control"] = "no-store"
    response["Retry-After"] = str(Unavailable.wait)
    return response
