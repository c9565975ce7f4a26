"""Signing in and out in a browser, with and without scripts."""

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
from .renderers import bar
from .session_views import LogoutView
from .views import SignInView, TokenView

TOO_OLD = "This page was open for too long, or came from another site. Please try again."


class Page(TokenView):
    """A token view for people: what it refuses, it shows on the sign-in page, with its status."""

    renderer_classes = (TemplateHTMLRenderer,)
    metadata_class = None  # What DRF answers to OPTIONS has no template.
    schema = None

    def handle_exception(self, exc: Exception) -> Response:
        refusal = super().handle_exception(exc)
        errors = refusal.data if isinstance(refusal.data, dict) else {}
        if refusal.status_code == status.HTTP_403_FORBIDDEN:
            errors = {"detail": TOO_OLD}
        refusal.data = self.page(errors)
        refusal.template_name = "tokens/login.html"
        # DRF would look for a template named after the status.
        refusal.exception = False
        return refusal

    def page(self, errors: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the sign-in page shows."""
        user_model = get_user_model()
        name = user_model.USERNAME_FIELD
        field: Any = user_model._meta.get_field(name)
        return {
            **bar(self.request),
            "username_field": name,
            "username_label": field.verbose_name,
            "username": _form_of(self.request).get(name, ""),
            "next": next_of(self.request),
            "error": errors.get("detail", ""),
            "username_errors": errors.get(name, []),
            "password_errors": errors.get("password", []),
            "signed_out": "signed-out" in self.request.query_params,
        }


class LoginPage(Page, SignInView):
    """Sign in by cookie, and go on to where the browser came from."""

    def get(self, request: Request) -> Response:
        return Response(self.page({}), template_name="tokens/login.html")

    def post(self, request: Request) -> Any:
        cookies.require_csrf(request)
        pair = self.sign_in(request)
        rotate_token(request._request)
        answer = HttpResponseRedirect(next_of(request))
        cookies.set_pair(answer, pair)
        return answer


class LogoutPage(Page, LogoutView):
    """Sign out by cookie, and show the sign-in page."""

    def post(self, request: Request) -> Any:
        # Nobody was signed in: so it is as the person wants.
        with suppress(Unauthorized):
            super().post(request)
        return HttpResponseRedirect(reverse("login_page") + "?signed-out")


def next_of(request: Request) -> str:
    """Return the address to go on to: a path of this site, whatever the caller wished for."""
    wish = _form_of(request).get("next") or request.query_params.get("next") or ""
    # No host is allowed, not even this one's: what is left are paths, and "//evil.example" is none.
    if wish.startswith("/") and url_has_allowed_host_and_scheme(wish, allowed_hosts=None):
        return wish
    return reverse("sessions")


def _form_of(request: Request) -> Mapping[str, str]:
    try:
        return request.POST
    except APIException:
        return {}  # Of a media type that nobody here reads; the answer has said so already.
