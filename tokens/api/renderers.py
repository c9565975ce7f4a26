"""The browsable API, which signs in with these tokens and needs no inline script or style."""

import math
import shlex
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import renderers, status
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.serializers import ListSerializer

from .. import sessions
from ..errors import KeyRingError, TokenError
from ..jose import Claims
from . import cookies


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """
    DRF's browsable API with a bar that says who reads it, and a page of its own.

    A view whose answer deserves more than JSON names a template in ``page_template``; it extends
    ``tokens/api.html`` and finds the answer as ``data``.
    """

    template = "tokens/api.html"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        renderer_context = renderer_context or {}
        self.template = getattr(renderer_context["view"], "page_template", self.template)
        page = str(super().render(data, accepted_media_type, renderer_context))
        # «Back» after signing out, perhaps by somebody else, must not show the page again.
        renderer_context["response"]["Cache-Control"] = "no-store"
        # A form shows what was sent, and half a character of JSON (RFC 8259 §8.2) is none of UTF-8.
        return page.encode("utf-8", "replace").decode()

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        context = super().get_context(data, accepted_media_type, renderer_context)
        request, response = renderer_context["request"], renderer_context["response"]
        view = renderer_context["view"]
        needs_token = bool(view.authentication_classes)
        # What a browser opened by GET may only answer to something else.
        allowed = view.allowed_methods
        method = request.method if request.method in allowed else next(iter(allowed), "GET")
        return {
            **context,
            **bar(request),
            "data": data,
            "curl": curl_of(request, method=method, needs_token=needs_token),
            "curl_needs_token": needs_token,
            "may_refresh": request.method == "GET"
            and response.status_code == status.HTTP_401_UNAUTHORIZED,
        }

    def get_rendered_html_form(self, *args: Any, **kwargs: Any) -> Any:
        """Return DRF's form, and none over a body that the view never asked for and nobody reads."""
        try:
            return super().get_rendered_html_form(*args, **kwargs)
        except UnsupportedMediaType:
            return None

    def render_form_for_serializer(self, serializer: Any) -> Any:
        """Return the form in templates of ours: DRF's have labels that name no field."""
        if isinstance(serializer, ListSerializer):
            return None
        if hasattr(serializer, "initial_data"):
            serializer.is_valid()
        return self.form_renderer_class().render(
            serializer.data, self.media_type, {"style": {"template_pack": "tokens/forms"}}
        )


def bar(request: Request) -> dict[str, Any]:
    """Return what the bar of a page shows, and what its script needs to keep the token fresh."""
    user, claims = request.user, request.auth
    if not isinstance(claims, Claims):
        # A view that looks at no credential, such as the sign-in: its reader may have one.
        user, claims = _reader(request)
    expires_in = 0
    if claims is not None:
        expires_in = math.ceil((claims.expires_at - timezone.now()).total_seconds())
    header = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    return {
        "signed_in": user if claims is not None else None,
        "expires_in": max(0, expires_in),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "csrf_header": header,
    }


def curl_of(request: Request, *, method: str, needs_token: bool) -> str:
    """
    Return a command that asks this address.

    $ACCESS stands for the token, and body.json for the body, which may hold a password.
    """
    words = ["curl -s"]
    if method not in ("GET", "POST"):
        words.append(f"-X {method}")
    words.append(shlex.quote(request.build_absolute_uri()))
    if needs_token:
        words.append('-H "Authorization: Bearer $ACCESS"')
    if method in ("POST", "PUT", "PATCH"):
        words.append("-H 'Content-Type: application/json' -d @body.json")
    return " ".join(words)


def _reader(request: Request) -> tuple[Any, Claims | None]:
    raw_access = cookies.find_access(request)
    if raw_access is None or cookies.is_access_refused(request):
        return None, None
    try:
        found = sessions.authenticate(raw_access)
    except (TokenError, KeyRingError):
        return None, None
    return found.session.user, found.claims
