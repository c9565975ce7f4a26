"""One view per authentication class, and everything that the project serves."""

from typing import Any

from django.urls import include, path
from oauth2_provider.views import TokenView as OAuthTokenView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenRefreshView as SimpleJWTRefreshView

from .peers import AUTHENTICATION


class WhoView(APIView):
    """A view that uses only the primary key of the user."""

    def get(self, request: Request) -> Response:
        return Response({"id": str(request.user.pk)})


def who(*classes: Any) -> Any:
    if classes:
        return WhoView.as_view(authentication_classes=classes)
    return WhoView.as_view(authentication_classes=[], permission_classes=[AllowAny])


urlpatterns = [
    path("who/none/", who(), name="who-none"),
    *(path(f"who/{name}/", who(one), name=f"who-{name}") for name, one in AUTHENTICATION.items()),
    path("simplejwt/refresh/", SimpleJWTRefreshView.as_view(), name="simplejwt-refresh"),
    path("_allauth/", include("allauth.headless.urls")),
    path("accounts/", include("allauth.urls")),
    path("o/token/", OAuthTokenView.as_view(), name="oauth-token"),
    path("", include("config.urls")),
]
