from django.urls import path

from .well_known import jwks

urlpatterns = [path("jwks.json", jwks, name="jwks")]
