"""The routes to include below ``.well-known/``."""

from django.urls import path

from .api.well_known import jwks

urlpatterns = [path("jwks.json", jwks, name="jwks")]
