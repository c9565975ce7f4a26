"""The views, with simplejwt's names, serializers and answers, and this app's limits on requests."""

from typing import Any, ClassVar

from django.db import transaction
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from ... import errors
from ...api import http, token_limits
from ...api.exception_handler import as_api_exception
from ...api.hiding import SecretResponse
from ...api.token_limits import TokenLimit
from ...client import answering
from ...secret import hides_locals
from .. import issuing
from .authentication import AUTH_HEADER_TYPES
from .exceptions import InvalidToken, TokenError
from .settings import api_settings


# Bodies contain passwords and tokens. A sign-in or an end stands before its answer leaves.
@method_decorator(sensitive_post_parameters(), name="dispatch")
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class TokenViewBase(generics.GenericAPIView[Any]):
    permission_classes = ()
    authentication_classes = ()
    serializer_class: Any = None
    _serializer_class = ""
    _limit: ClassVar[TokenLimit | None] = None
    _limits_sessions: ClassVar[bool] = True

    www_authenticate_realm = "api"

    def get_serializer_class(self) -> Any:
        """Return ``serializer_class``, or the class that SIMPLE_JWT names."""
        if self.serializer_class:
            return self.serializer_class
        try:
            return import_string(self._serializer_class)
        except ImportError as error:
            raise ImportError(f"Could not import serializer '{self._serializer_class}'") from error

    def get_authenticate_header(self, request: Request) -> str:
        return f'{AUTH_HEADER_TYPES[0]} realm="{self.www_authenticate_realm}"'

    @hides_locals
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        admit = self._limit.count_session if self._limit and self._limits_sessions else None
        reset = issuing.admit.set(admit)
        try:
            with answering(request._request):
                serializer.is_valid(raise_exception=True)
        except TokenError as error:
            if self._limit and isinstance(error.__cause__, errors.TokenError):
                self._limit.count_junk(request, error.__cause__)
            raise InvalidToken(error.args[0]) from error
        finally:
            issuing.admit.reset(reset)
        return SecretResponse(serializer.validated_data, status=status.HTTP_200_OK)

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(as_api_exception(exc))

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        http.forbid_storing(response)
        return response


class TokenObtainPairView(TokenViewBase):
    """Take a name and a password, and return an access and a refresh token of a new session."""

    _serializer_class = api_settings.TOKEN_OBTAIN_SERIALIZER


class TokenRefreshView(TokenViewBase):
    """Take a refresh token, and return an access token, with the next refresh token if clients keep it."""

    _serializer_class = api_settings.TOKEN_REFRESH_SERIALIZER
    _limit = token_limits.REFRESH


class TokenObtainSlidingView(TokenViewBase):
    """Take a name and a password, and return a sliding token of a new session."""

    _serializer_class = api_settings.SLIDING_TOKEN_OBTAIN_SERIALIZER


class TokenRefreshSlidingView(TokenViewBase):
    """Take a sliding token, and return one that is valid for longer."""

    _serializer_class = api_settings.SLIDING_TOKEN_REFRESH_SERIALIZER
    _limit = token_limits.REFRESH


class TokenVerifyView(TokenViewBase):
    """Tell whether a token of any type would be accepted."""

    _serializer_class = api_settings.TOKEN_VERIFY_SERIALIZER
    _limit = token_limits.VERIFY


class TokenBlacklistView(TokenViewBase):
    """Take a refresh token, and end its session."""

    _serializer_class = api_settings.TOKEN_BLACKLIST_SERIALIZER
    _limit = token_limits.REVOKE
    _limits_sessions = False  # No limit keeps anyone from taking a token back.


token_obtain_pair = TokenObtainPairView.as_view()
token_refresh = TokenRefreshView.as_view()
token_obtain_sliding = TokenObtainSlidingView.as_view()
token_refresh_sliding = TokenRefreshSlidingView.as_view()
token_verify = TokenVerifyView.as_view()
token_blacklist = TokenBlacklistView.as_view()
