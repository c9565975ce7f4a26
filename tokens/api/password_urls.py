"""The route of the password change. Include it below the same prefix as ``tokens.urls``."""

from django.urls import path

from .password_views import PasswordChangeView

urlpatterns = [
    path("me/password/", PasswordChangeView.as_view(), name="tokens_me_password"),
]
