"""The Content-Security-Policy of each answer."""

from functools import cached_property

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponseBase


class ContentPolicyMiddleware(CSPMiddleware):
    """
    Send CONTENT_SECURITY_POLICY, which for answers that are no page is written once.

    django-csp writes it for each answer, because a view can change the policy of its page. That
    takes a tenth of the time of an API request.
    """

    @cached_property
    def policy(self) -> str:
        return build_policy()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if "html" in response.get("Content-Type", ""):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self.policy)
        return response
