"""The DRF authentication classes, with simplejwt's hooks."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import HTTP_HEADER_ENCODING
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ... import errors
from ...api import http
from ...sessions.lazy_user import LazyUser
from .. import mapping
from .exceptions import AuthenticationFailed, InvalidToken, TokenError
from .settings import api_settings
from .tokens import Token
from .utils import get_md5_hash_password

AUTH_HEADER_TYPES = tuple(mapping.header_types(api_settings.AUTH_HEADER_TYPES))
AUTH_HEADER_TYPE_BYTES = {scheme.encode(HTTP_HEADER_ENCODING) for scheme in AUTH_HEADER_TYPES}


class JWTAuthentication(BaseAuthentication):
    """
    Set ``request.user`` to the user and ``request.auth`` to the token of the header.

    It takes one query at most: that of ``get_validated_token`` brings the user.
    """

    authenticates_tokens = True  # for the system checks
    www_authenticate_realm = "api"
    media_type = "application/json"
    # Of this instance, which DRF makes for each request. Subclasses replace ``authenticate``.
    _request: Request | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user_model = get_user_model()

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        header = self.get_header(request)
        raw_token = None if header is None else self.get_raw_token(header)
        if raw_token is None:
            return None
        validated_token = self.get_validated_token(raw_token)
        return self.get_user(validated_token), validated_token

    def authenticate_header(self, request: Request) -> str:
        return f'{AUTH_HEADER_TYPES[0]} realm="{self.www_authenticate_realm}"'

    def get_header(self, request: Request) -> bytes | None:
        """Return the header that AUTH_HEADER_NAME names."""
        self._request = request
        header = request.META.get(api_settings.AUTH_HEADER_NAME)
        return header.encode(HTTP_HEADER_ENCODING) if isinstance(header, str) else header

    def get_raw_token(self, header: bytes) -> bytes | None:
        """Return the token in the header, None if it has another scheme."""
        scheme, *words = header.split() or [b""]
        if scheme.lower() not in {known.lower() for known in AUTH_HEADER_TYPE_BYTES}:
            return None
        if len(words) != 1:
            raise AuthenticationFailed(
                _("Authorization header must contain two space-delimited values"),
                code="bad_authorization_header",
            )
        return words[0]

    def get_validated_token(self, raw_token: bytes) -> Any:
        """Return the first of AUTH_TOKEN_CLASSES that accepts the token."""
        messages = []
        for token_class in api_settings.AUTH_TOKEN_CLASSES:
            try:
                validated_token = token_class(raw_token)
            except TokenError as error:
                if isinstance(error.__cause__, errors.UserRefused):
                    raise http.request_refusal(error.__cause__) from error
                messages.append(
                    {
                        "token_class": token_class.__name__,
                        "token_type": token_class.token_type,
                        "message": error.args[0],
                    }
                )
            else:
                if self._request is not None:
                    http.note_authenticated(self._request)
                return validated_token
        raise InvalidToken(
            {"detail": _("Given token not valid for any token type"), "messages": messages}
        )

    def get_user(self, validated_token: Any) -> Any:
        """Return the user of the token, or of a mapping of claims."""
        user_id = _user_id_in(validated_token)
        user = validated_token.user if isinstance(validated_token, Token) else None
        if user is None:
            return self._find_user(user_id, validated_token)
        if type(user) is LazyUser:
            user.raise_refusals_as(http.request_refusal)
        return user

    def _find_user(self, user_id: Any, claims: Any) -> Any:
        try:
            user: Any = self.user_model._default_manager.get(
                **{api_settings.USER_ID_FIELD: user_id}
            )
        except (ObjectDoesNotExist, ValidationError, ValueError, TypeError, OverflowError) as error:
            raise AuthenticationFailed(_("User not found"), code="user_not_found") from error
        if api_settings.CHECK_USER_IS_ACTIVE and not user.is_active:
            raise AuthenticationFailed(_("User is inactive"), code="user_inactive")
        if api_settings.CHECK_REVOKE_TOKEN and claims.get(
            api_settings.REVOKE_TOKEN_CLAIM
        ) != get_md5_hash_password(user.password):
            raise AuthenticationFailed(
                _("The user's password has been changed."), code="password_changed"
            )
        return user


class JWTStatelessUserAuthentication(JWTAuthentication):
    """
    Set ``request.user`` to a TokenUser, without loading the user.

    A revoked token is refused: in strict mode by a query, in snapshot mode without one.
    """

    def get_user(self, validated_token: Any) -> Any:
        _user_id_in(validated_token)
        return api_settings.TOKEN_USER_CLASS(validated_token)


JWTTokenUserAuthentication = JWTStatelessUserAuthentication


def _user_id_in(claims: Any) -> Any:
    """Return the claim that names the user. A token without a user may have it as null."""
    user_id = claims.get(api_settings.USER_ID_CLAIM)
    if user_id is None:
        raise InvalidToken(_("Token contained no recognizable user identification"))
    return user_id


def default_user_authentication_rule(user: Any) -> bool:
    return user is not None and (not api_settings.CHECK_USER_IS_ACTIVE or user.is_active)
