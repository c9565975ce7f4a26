from typing import Any

from django.urls import include, path
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response


@api_view()
def who(request: Request) -> Response:
    user: Any = request.user
    return Response({"email": user.email})


urlpatterns = [
    path("api/denials/", include("tokens.feed.urls")),
    path("api/", include("tokens.urls")),
    path("who/", who),
]
