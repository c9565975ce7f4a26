from typing import Any

from django.db import connection
from django.urls import include, path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response


@api_view()
@permission_classes([IsAuthenticated])
def who(request: Request) -> Response:
    tenant: Any = connection
    if "public" in request.GET:
        # As a view that reads something of all tenants, before it loads the user.
        tenant.set_schema_to_public()
    user: Any = request.user
    key = user.pk
    return Response({"pk": key, "email": user.email})


urlpatterns = [
    path("api/", include("tokens.urls")),
    path("who/", who),
]
