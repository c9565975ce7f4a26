"""``/.well-known/``: what other services read to verify tokens on their own."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from . import keyring


@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    """Answer with the public keys as a JWK Set (RFC 7517 §8.5)."""
    response = JsonResponse(keyring.jwks(), content_type="application/jwk-set+json")
    # Stored, and asked for each time: a stale copy would lack the key of a fresh token.
    response["Cache-Control"] = "public, no-cache"
    return response
