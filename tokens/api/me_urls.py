"""The routes of the signed-in user. Include them below the same prefix as ``tokens.urls``."""

from django.urls import path

from . import password_urls
from .me_views import MeView

urlpatterns = [
    path("me/", MeView.as_view(), name="tokens_me"),
    *password_urls.urlpatterns,
]
