"""The serializers, whose ``validate`` does the work, and whose hooks projects override."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import update_last_login
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, serializers
from rest_framework.exceptions import AuthenticationFailed

from ...limits import sign_in
from .settings import api_settings
from .tokens import RefreshToken, SlidingToken, Token, UntypedToken


class PasswordField(serializers.CharField):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["style"] = {**kwargs.get("style", {}), "input_type": "password"}
        super().__init__(*args, **{**kwargs, "write_only": True})


class TokenObtainSerializer(serializers.Serializer[Any]):
    """Checks a password, within the limits on sign-ins."""

    username_field = get_user_model().USERNAME_FIELD
    token_class: type[Token] | None = None
    user: Any = None

    default_error_messages: ClassVar[dict[str, Any]] = {
        "no_active_account": _("No active account found with the given credentials")
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[self.username_field] = serializers.CharField(write_only=True)
        self.fields["password"] = PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.user = sign_in.authenticate(
            self.context.get("request"),
            **{self.username_field: attrs[self.username_field], "password": attrs["password"]},
        )
        if not api_settings.USER_AUTHENTICATION_RULE(self.user):
            raise exceptions.AuthenticationFailed(
                self.error_messages["no_active_account"], "no_active_account"
            )
        return {}

    @classmethod
    def get_token(cls, user: Any) -> Any:
        assert cls.token_class  # noqa: S101
        return cls.token_class.for_user(user)

    def note_sign_in(self) -> None:
        if api_settings.UPDATE_LAST_LOGIN:
            update_last_login(None, self.user)  # type: ignore[arg-type]  # the sender is not used


class TokenObtainPairSerializer(TokenObtainSerializer):
    token_class = RefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        data = super().validate(attrs)
        refresh = self.get_token(self.user)
        data["refresh"] = str(refresh)
        data["access"] = str(refresh.access_token)
        self.note_sign_in()
        return data


class TokenObtainSlidingSerializer(TokenObtainSerializer):
    token_class = SlidingToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        data = super().validate(attrs)
        data["token"] = str(self.get_token(self.user))
        self.note_sign_in()
        return data


class TokenRefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField()
    access = serializers.CharField(read_only=True)
    token_class: type[Any] = RefreshToken

    default_error_messages: ClassVar[dict[str, Any]] = {
        "no_active_account": _("No active account found for the given token.")
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refresh = self.token_class(attrs["refresh"])
        if refresh.user is not None and not api_settings.USER_AUTHENTICATION_RULE(refresh.user):
            raise AuthenticationFailed(
                self.error_messages["no_active_account"], "no_active_account"
            )
        data = {"access": str(refresh.access_token)}
        if returns_refresh_token():
            refresh.set_jti()
            refresh.set_exp()
            refresh.set_iat()
            data["refresh"] = str(refresh)
        return data


def returns_refresh_token() -> bool:
    """
    Return whether the answer to a refresh has the next refresh token.

    Without ROTATE_REFRESH_TOKENS simplejwt's has not. But unless TOKENS_ROTATION is "on_proof", a client
    that never gets the next one is signed out when it uses the first again.
    """
    is_on_proof = getattr(settings, "TOKENS_ROTATION", "always") == "on_proof"
    return bool(api_settings.ROTATE_REFRESH_TOKENS) or not is_on_proof


class TokenRefreshSlidingSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    token_class: type[Any] = SlidingToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        token = self.token_class(attrs["token"])
        token.check_exp(api_settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM)
        token.set_exp()
        token.set_iat()
        return {"token": str(token)}


class TokenVerifySerializer(serializers.Serializer[Any]):
    token = serializers.CharField(write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        UntypedToken(attrs["token"])
        return {}


class TokenBlacklistSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(write_only=True)
    token_class: type[Any] = RefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        self.token_class(attrs["refresh"]).blacklist()
        return {}
