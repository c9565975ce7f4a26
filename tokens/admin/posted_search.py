"""A search field that is posted, so that a token that somebody pastes stands in no address."""

from abc import abstractmethod
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from ..errors import KeyRingError, TokenError, with_hint
from ..jose import Claims
from ..operations import revocation
from .base import ReadOnlyAdmin, require_permission, show_message
from .search import find_token


class PostedSearch(ReadOnlyAdmin):
    """A list whose field takes a token too; ``found`` says where one leads."""

    @abstractmethod
    def found(self, request: HttpRequest, claims: Claims) -> HttpResponse:
        """Return where the token of these claims leads."""

    def get_urls(self) -> list[URLPattern]:
        find = path(
            "find/",
            self.admin_site.admin_view(self.find_view),
            name=f"tokens_{self.opts.model_name}_find",
        )
        return [find, *super().get_urls()]

    @method_decorator(sensitive_post_parameters(SEARCH_VAR))
    @sensitive_variables("term", "raw_token")
    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Go where a pasted token leads, or to the list of what any other word finds."""
        require_permission(request, f"view_{self.opts.model_name}")
        term = request.POST.get(SEARCH_VAR, "").strip()
        raw_token = find_token(term)
        if raw_token is None:
            names = [name for name in self.filter_names() if request.POST.get(name)]
            chosen = {name: request.POST[name] for name in names}
            return self.to_list(**chosen, **({SEARCH_VAR: term[:200]} if term else {}))
        try:
            return self.found(request, revocation.identify(raw_token))
        except (TokenError, KeyRingError) as error:
            why = with_hint(error)
            show_message(request, f"Nothing was found by this token. {why}", level=messages.WARNING)
            return self.to_list()

    def to_list(self, **query: str) -> HttpResponse:
        name = f"admin:tokens_{self.opts.model_name}_changelist"
        page = reverse(name, current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{page}?{urlencode(query)}" if query else page)
