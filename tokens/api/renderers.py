"""The browsable API. It signs in with token cookies, and uses no inline script or style."""

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

from .. import clock, sessions
from ..errors import KeyRingError, TokenError
from ..jose import Claims
from . import cookies, time_zones
from .sign_in_form import sign_in_form


class JSONRenderer(renderers.JSONRenderer):
    """DRF's renderer as it is without COMPACT_JSON, UNICODE_JSON and STRICT_JSON of a project."""

    compact = True
    ensure_ascii = False
    strict = True


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """
    DRF's browsable API with this app's templates and the signed-in user at the top.

    A view can set ``page_template`` to a template that extends ``tokens/account.html`` and shows the
    answer, ``data``, in a friendlier form. Its ``get_page_context(request, response)`` returns what
    that template needs besides.
    """

    template = "tokens/api.html"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        renderer_context = renderer_context or {}
        if _is_own_page(renderer_context):
            self.template = renderer_context["view"].page_template
        with timezone.override(time_zones.zone_of(renderer_context["request"])):
            page = str(super().render(data, accepted_media_type, renderer_context))
        # After sign-out, the "Back" button must not show the page again.
        renderer_context["response"]["Cache-Control"] = "no-store"
        # A form shows what was sent. JSON can contain a lone surrogate (RFC 8259 §8.2), which UTF-8
        # cannot encode.
        return page.encode("utf-8", "replace").decode()

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        context = super().get_context(data, accepted_media_type, renderer_context)
        request, response = renderer_context["request"], renderer_context["response"]
        view = renderer_context["view"]
        needs_token = bool(view.authentication_classes)
        # A browser also opens views that do not allow GET.
        allowed = view.allowed_methods
        method = request.method if request.method in allowed else next(iter(allowed), "GET")
        is_refused = response.status_code == status.HTTP_401_UNAUTHORIZED
        is_read = request.method == "GET"
        is_own_page = _is_own_page(renderer_context)
        has_more = is_own_page and hasattr(view, "get_page_context")
        return {
            **context,
            **page_context(request),
            **(sign_in_form(request, next=_next(request), errors={}) if is_refused else {}),
            **(view.get_page_context(request, response) if has_more else {}),
            "data": data,
            # Without scripts, a form refreshes the tokens.
            "may_continue": is_refused and is_read and cookies.find_refresh(request) is not None,
            "is_own_page": is_own_page,
            "curl": curl_command(request, method=method, needs_token=needs_token),
            "curl_needs_token": needs_token,
            "may_refresh": is_read and is_refused,
        }

    def get_rendered_html_form(self, *args: Any, **kwargs: Any) -> Any:
        """Return DRF's form, or None if the request's body has a media type without a parser."""
        try:
            return super().get_rendered_html_form(*args, **kwargs)
        except UnsupportedMediaType:
            return None

    def render_form_for_serializer(self, serializer: Any) -> Any:
        """Return the form with this app's templates: the labels of DRF's do not name their fields."""
        if isinstance(serializer, ListSerializer):
            return None
        if hasattr(serializer, "initial_data"):
            serializer.is_valid()
        return self.form_renderer_class().render(
            serializer.data, self.media_type, {"style": {"template_pack": "tokens/forms"}}
        )


def _is_own_page(context: Mapping[str, Any]) -> bool:
    """Return whether the view has a page for users. OPTIONS is a question of developers."""
    return hasattr(context["view"], "page_template") and context["request"].method != "OPTIONS"


def page_context(request: Request) -> dict[str, Any]:
    """Return the signed-in user, and what the page's script needs to refresh the token."""
    user, claims = request.user, request.auth
    if not isinstance(claims, Claims):
        # A view without authentication, such as the sign-in. The browser may be signed in.
        user, claims = _user_of_cookie(request)
    expires_in = 0
    if claims is not None:
        expires_in = math.ceil((claims.expires_at - clock.now()).total_seconds())
    header = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    return {
        "signed_in": user if claims is not None else None,
        "expires_in": max(0, expires_in),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "csrf_header": header,
    }


def curl_command(request: Request, *, method: str, needs_token: bool) -> str:
    """
    Return a curl command that sends this request.

    It has $ACCESS instead of the token, and body.json instead of the body, which may contain a
    password.
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


def _next(request: Request) -> str:
    """Return the path to go to after a sign-in: of a POST, the page that was sent is gone."""
    return request.get_full_path() if request.method == "GET" else request.path


def _user_of_cookie(request: Request) -> tuple[Any, Claims | None]:
    raw_access = cookies.find_access(request)
    if raw_access is None or cookies.is_access_refused(request):
        return None, None
    try:
        found = sessions.authenticate(raw_access)
    except (TokenError, KeyRingError):
        return None, None
    return found.session.user, found.claims
