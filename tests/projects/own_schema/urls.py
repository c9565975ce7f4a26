from typing import Any

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListCreateAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class SessionSerializer(serializers.Serializer[Any]):
    """A session of a conference."""

    kind = serializers.ChoiceField(choices=["talk", "workshop"])
    token_type = serializers.ChoiceField(choices=["badge", "wristband"])


class PairSerializer(serializers.Serializer[Any]):
    """A pair of speakers."""

    first = serializers.CharField()
    second = serializers.CharField()


class ConferenceView(ListCreateAPIView[Any]):
    serializer_class = SessionSerializer

    @extend_schema(operation_id="sessions_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response()

    @extend_schema(operation_id="logout", responses=PairSerializer)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response()


urlpatterns = [
    path("conference/", ConferenceView.as_view(), name="sessions"),
    path("api/", include("tokens.urls")),
    path("api/", include("tokens.api.password_urls")),
    path(".well-known/", include("tokens.well_known_urls")),
]
