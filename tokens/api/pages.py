"""The sign-in page and the sign-out button, which work with and without scripts."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from . import cookies
from .http import Unauthorized
from .renderers import page_context
from .session_views import LogoutView
from .views import SignInView, TokenView

PAGE_EXPIRED = "This page was open for too long, or came from another site. Please try again."


class Page(TokenView):
    """A token view in HTML. It shows a refusal on the sign-in page, with the same status."""

    renderer_classes = (TemplateHTMLRenderer,)
    metadata_class = None  # DRF's answer to OPTIONS has no template.
    schema = None

    def handle_exception(self, exc: Exception) -> Response:
        refusal = super().handle_exception(exc)
        errors = refusal.data if isinstance(refusal.data, dict) else {}
        if refusal.status_code == status.HTTP_403_FORBIDDEN:
            errors = {"detail": PAGE_EXPIRED}
        refusal.data = self.page(errors)
        refusal.template_name = "tokens/login.html"
        # Otherwise DRF uses a template that is named after the status.
        refusal.exception = False
        return refusal

    def page(self, errors: Mapping[str, Any]) -> dict[str, Any]:
        """Return the context of the sign-in page."""
        user_model = get_user_model()
        name = user_model.USERNAME_FIELD
        field: Any = user_model._meta.get_field(name)
        return {
            **page_context(self.request),
            "username_field": name,
            "username_label": field.verbose_name,
            "username": _form_data(self.request).get(name, ""),
            "next": redirect_target(self.request),
            "error": errors.get("detail", ""),
            "username_errors": errors.get(name, []),
            "password_errors": errors.get("password", []),
            "signed_out": "signed-out" in self.request.query_params,
        }


class LoginPage(Page, SignInView):
    """Sign in by cookie, and redirect to the page that the browser came from."""

    def get(self, request: Request) -> Response:
        return Response(self.page({}), template_name="tokens/login.html")

    def post(self, request: Request) -> Any:
        cookies.require_csrf(request)
        pair = self.sign_in(request, check=cookies.check_size)
        rotate_token(request._request)
        answer = HttpResponseRedirect(redirect_target(request))
        cookies.set_pair(answer, pair)
        return answer


class LogoutPage(Page, LogoutView):
    """Sign out by cookie, and show the sign-in page."""

    def post(self, request: Request) -> Any:
        # No user was signed in, so nothing is left to do.
        with suppress(Unauthorized):
            super().post(request)
        return HttpResponseRedirect(reverse("login_page") + "?signed-out")


def redirect_target(request: Request) -> str:
    """Return the path of this site in ``next``, or by default the user's sessions."""
    target = _form_data(request).get("next") or request.query_params.get("next") or ""
    # No host is allowed, not even this site's, so that only paths pass. "//evil.example" does not.
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return reverse("sessions")


def _form_data(request: Request) -> Mapping[str, str]:
    try:
        return request.POST
    except APIException:
        return {}  # The body cannot be parsed. The view's own answer reports that.
