"""How each contender signs a user in, and the credentials that the user then sends."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.headless.tokens.strategies.jwt import internal as allauth_jwt
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import update_last_login
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory
from django.urls import resolve
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.models import AuthToken
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from oauth2_provider.models import AccessToken as OAuthAccessToken
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token as AuthtokenToken
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt.authentication import (
    JWTAuthentication as SimpleJWTAuthentication,
)
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token
from rest_framework_simplejwt.views import TokenObtainPairView

from tokens import sessions
from tokens.authentication import JWTAuthentication

# The keys are the names that the tables of results use.
AUTHENTICATION: dict[str, Any] = {
    "latchkey": JWTAuthentication,
    "simplejwt": SimpleJWTAuthentication,
    "simplejwt-stateless": JWTStatelessUserAuthentication,
    "knox": KnoxAuthentication,
    "authtoken": TokenAuthentication,
    "oauth-toolkit": OAuth2Authentication,
}
# The password of every user.
PASSWORD = "correct horse battery staple"
# Those of this project, before the first call of ``signing_in_with_password`` changes the setting.
BACKENDS = tuple(settings.AUTHENTICATION_BACKENDS)


class _Absent:
    """A missing attribute: without the blacklist app, simplejwt's tokens do not have the method."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        raise AttributeError


class UnlistedRefreshToken(RefreshToken):  # type: ignore[misc]  # It ships no types.
    """simplejwt's refresh token as it is when the blacklist app is not installed."""

    verify = Token.verify
    for_user: Any = classmethod(Token.for_user.__func__)
    blacklist = _Absent()

    def outstand(self) -> None:
        """Do nothing. simplejwt 5.5.1 calls this unconditionally, and would crash without it."""


class UnlistedRefreshSerializer(TokenRefreshSerializer):  # type: ignore[misc]  # It ships no types.
    token_class = UnlistedRefreshToken


class LastLoginSerializer(TokenObtainPairSerializer):  # type: ignore[misc]  # It ships no types.
    """
    simplejwt's sign-in as it is with UPDATE_LAST_LOGIN, which is off by default.

    This project's always updates it: it sends Django's ``user_logged_in``.
    """

    def validate(self, attrs: Any) -> Any:
        answer = super().validate(attrs)
        update_last_login(None, self.user)  # type: ignore[arg-type]  # the sender is not used
        return answer


def signing_in(name: str, user: Any) -> Callable[[], Any]:
    """Return a call that issues a pair of tokens for ``user`` without checking a password."""
    if name == "latchkey":
        return lambda: sessions.start(user)
    kind = {"simplejwt-blacklist": RefreshToken, "simplejwt": UnlistedRefreshToken}[name]

    def call() -> None:
        refresh = kind.for_user(user)
        str(refresh), str(refresh.access_token)

    return call


def signing_in_with_password(name: str, username: str) -> Callable[[], Any]:
    """Return a call that sends a name and a password to the contender's view."""
    views = {
        "latchkey": resolve("/api/token/").func,
        "simplejwt-blacklist": TokenObtainPairView.as_view(),
        "simplejwt-blacklist, with last_login": TokenObtainPairView.as_view(
            serializer_class=LastLoginSerializer
        ),
    }
    # The other package is measured as it is installed, without the limits of this one.
    backends = list(BACKENDS if name == "latchkey" else BACKENDS[1:])
    view, factory = views[name], APIRequestFactory()

    def call() -> None:
        settings.AUTHENTICATION_BACKENDS = backends
        body = {"username": username, "password": PASSWORD}
        answer = view(factory.post("/", body, format="json"))
        answer.render()
        assert answer.status_code == 200, answer.content

    return call


def credentials(user: Any) -> dict[str, str]:
    """Return the Authorization header of each contender for ``user``."""
    return {
        "latchkey": f"Bearer {sessions.start(user).raw_access}",
        "simplejwt": f"Bearer {AccessToken.for_user(user)}",
        "simplejwt-stateless": f"Bearer {AccessToken.for_user(user)}",
        "knox": f"Token {AuthToken.objects.create(user)[1]}",
        "authtoken": f"Token {AuthtokenToken.objects.get_or_create(user=user)[0].key}",
        "oauth-toolkit": f"Bearer {_oauth_token(user)}",
        "none": "",
    }


def allauth_refresh_token(user: Any) -> str:
    """Sign ``user`` in as allauth's headless API does, and return the refresh token."""
    request = RequestFactory().get("/")
    request.session = SessionStore()
    login(request, user, backend=BACKENDS[-1])
    request.session.save()
    raw_refresh: str = allauth_jwt.create_refresh_token(user, request.session)
    request.session.save()
    return raw_refresh


def _oauth_token(user: Any) -> str:
    raw_access = secrets.token_urlsafe(30)
    OAuthAccessToken.objects.create(
        user=user,
        token=raw_access,
        expires=timezone.now() + timedelta(hours=1),
        scope="read",
    )
    return raw_access
