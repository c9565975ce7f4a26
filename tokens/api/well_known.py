"""``/.well-known/jwks.json``: the public keys, with which other services verify tokens."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from .. import keyring
from . import public, schema
from .endpoint import Endpoint
from .openapi import OpenApiResponse, extend_schema
from .serializers import EmptySerializer


class JWKSView(Endpoint):
    """Return the public keys, with which other services verify access tokens (RFC 7517 §5)."""

    serializer_class = EmptySerializer  # DRF's own schema generator asks every view for one.

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.get(request)

    @extend_schema(
        operation_id="tokens_jwks",
        responses={
            (200, "application/jwk-set+json"): schema.JWK_SET,
            304: OpenApiResponse(None, "The copy with the ETag of If-None-Match is current."),
            (503, "application/json"): schema.DETAIL,
        },
    )
    def get(self, request: HttpRequest) -> HttpResponseBase:
        # Not by DRF's way: a client that accepts nothing that DRF knows gets the keys too.
        return jwks(request)


def jwks(request: HttpRequest) -> HttpResponseBase:
    """
    Return the public keys as a JWK Set (RFC 7517 §5), with the media type of §8.5.2.

    Pages of every origin may read it, without credentials: it is public and the same for everybody.
    """
    return public.answer(request, _published, event="jwks_unavailable")


def _published(request: HttpRequest) -> HttpResponseBase:
    response = JsonResponse(keyring.jwks(), content_type="application/jwk-set+json")
    # Caches may store it and must revalidate it: a stale copy may lack the key of a new token.
    response["Cache-Control"] = "public, no-cache"
    etag = quote_etag(hashlib.sha256(response.content).hexdigest())
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response
