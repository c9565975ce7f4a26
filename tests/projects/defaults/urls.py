from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import include, path, re_path
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.projects.defaults.settings import URLS
from tokens.api.renderers import BrowsableAPIRenderer, JSONRenderer
from tokens.authentication import JWTAuthentication


class OwnPage(APIView):
    """A page of the project, in the app's browsable API."""

    authentication_classes = (JWTAuthentication,)
    permission_classes = (AllowAny,)
    renderer_classes = (JSONRenderer, BrowsableAPIRenderer)
    throttle_classes = ()
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None

    def get(self, request: Request, **kwargs: object) -> Response:
        return Response({"signed_in": bool(request.user and request.user.is_authenticated)})


own_page = path("own/", OwnPage.as_view())


def own_page_by_position(request: HttpRequest, version: str) -> HttpResponseBase:
    return OwnPage.as_view()(request)


api: Any = [
    path("", include("tokens.urls")),
    path("", include("tokens.api.password_urls")),
    own_page,
]
PLACES: dict[str, Any] = {
    "plain": [path("api/", include(api))],
    "versioned": [path("api/<str:version>/", include(api))],
    "namespaced": [path("api/", include((api, "tokens"), namespace="auth"))],
    "nested": [path("outer/", include(([path("api/", include((api, "inner")))], "outer")))],
    "localised": i18n_patterns(path("api/", include(api))),
    "tenants": [path("<int:tenant>/<slug:version>/api/", include(api))],
    "grouped": [
        re_path(
            r"^api/(v1|v2)/",
            include([*api[:2], re_path("^own/$", lambda r, v: OwnPage.as_view()(r))]),
        )
    ],
}
urlpatterns = [
    *PLACES[URLS],
    own_page,
    path(".well-known/", include("tokens.well_known_urls")),
]
