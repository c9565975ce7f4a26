"""A search field that is sent by POST, so that a pasted token is never part of an address."""

from abc import abstractmethod
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext

from ..errors import KeyRingError, TokenError, with_hint
from ..jose import Claims
from ..operations import revocation
from ..secret import hide, hides_post
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
            # Around admin_view, whose queries can fail too.
            hides_post(SEARCH_VAR)(self.admin_site.admin_view(self.find_view)),
            name=url_name(self.model, "find"),
        )
        return [find, *super().get_urls()]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the page of a pasted token, or to the list with the search term."""
        require_permission(request, f"view_{self.opts.model_name}")
        searched: Any = request.POST.get(SEARCH_VAR, "")
        raw_token = find_token(searched)
        if raw_token is None:
            term = hide(searched).reveal().strip()
            names = [name for name in self.filter_names() if request.POST.get(name)]
            chosen = {name: request.POST[name] for name in names}
            return self.to_list(**chosen, **({SEARCH_VAR: term[:200]} if term else {}))
        try:
            return self.redirect_for_token(request, revocation.identify(raw_token))
        except (TokenError, KeyRingError) as error:
            # The reason is the line of the log, in English.
            why = {"reason": with_hint(error)}
            message = gettext("Nothing was found for this token. %(reason)s") % why
            show_message(request, message, level=messages.WARNING)
            return self.to_list()

    def to_list(self, **query: str) -> HttpResponse:
        page = admin_url(self.admin_site, self.model, "changelist")
        return HttpResponseRedirect(f"{page}?{urlencode(query)}" if query else page)
