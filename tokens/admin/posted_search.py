"""A search field that is sent by POST, so that a pasted token is never part of an address."""

from abc import abstractmethod
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from ..errors import KeyRingError, TokenError, with_hint
from ..jose import Claims
from ..operations import revocation
from .base import ReadOnlyAdmin, admin_url, require_permission, show_message, url_name
from .search import find_token


class PostedSearch(ReadOnlyAdmin):
    """A list whose search field also accepts a token."""

    @abstractmethod
    def redirect_for_token(self, request: HttpRequest, claims: Claims) -> HttpResponse:
        """Return the redirect to the page of the token with these claims."""

    def get_urls(self) -> list[URLPattern]:
        find = path(
            "find/",
            self.admin_site.admin_view(self.find_view),
            name=url_name(self.model, "find"),
        )
        return [find, *super().get_urls()]

    @method_decorator(sensitive_post_parameters(SEARCH_VAR))
    @sensitive_variables("term", "raw_token")
    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the page of a pasted token, or to the list with the search term."""
        require_permission(request, f"view_{self.opts.model_name}")
        term = request.POST.get(SEARCH_VAR, "").strip()
        raw_token = find_token(term)
        if raw_token is None:
            names = [name for name in self.filter_names() if request.POST.get(name)]
            chosen = {name: request.POST[name] for name in names}
            return self.to_list(**chosen, **({SEARCH_VAR: term[:200]} if term else {}))
        try:
            return self.redirect_for_token(request, revocation.identify(raw_token))
        except (TokenError, KeyRingError) as error:
            why = with_hint(error)
            message = f"Nothing was found for this token. {why}"
            show_message(request, message, level=messages.WARNING)
            return self.to_list()

    def to_list(self, **query: str) -> HttpResponse:
        page = admin_url(self.admin_site, self.model, "changelist")
        return HttpResponseRedirect(f"{page}?{urlencode(query)}" if query else page)
