"""The sign-in page and the sign-out button, which work with and without scripts."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.http import HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ..branding import home_url
from . import addresses, cookies
from .exception_handler import exception_handler
from .http import Unauthorized
from .renderers import page_context
from .session_views import LogoutView
from .sign_in_form import form_data, sign_in_form
from .views import SignInView, TokenView

PAGE_EXPIRED = _("This page was open for too long, or came from another site. Please try again.")


class Page(TokenView):
    """A token view in HTML. It shows a refusal on the sign-in page, with the same status."""

    renderer_classes = (TemplateHTMLRenderer,)
    metadata_class = None  # DRF's answer to OPTIONS has no template.
    schema = None

    def get_exception_handler(self) -> Any:
        return exception_handler  # The page shows what this app says.

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
        return {
            **page_context(self.request),
            **sign_in_form(self.request, next=redirect_target(self.request), errors=errors),
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
        return HttpResponseRedirect(f"{sign_in_page(request)}?signed-out")


def sign_in_page(request: Request) -> str:
    return addresses.find("tokens_login_page", request) or home_url(request) or "/"


def redirect_target(request: Request) -> str:
    """Return the path of this site in ``next``, or by default the user's sessions."""
    target = form_data(request).get("next") or request.query_params.get("next") or ""
    # No host is allowed, not even this site's, so that only paths pass. "//evil.example" does not.
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return addresses.find("tokens_sessions", request) or home_url(request) or "/"
