"""The routes to include below ``.well-known/``."""

from django.urls import path

from .api.well_known import JWKSView

urlpatterns = [path("jwks.json", JWKSView.as_view(), name="tokens_jwks")]
