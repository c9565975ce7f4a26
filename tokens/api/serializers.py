"""The formats of bodies and answers. Rules belong in ``sessions``."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework import ISO_8601, serializers

from ..client.devices import device_of
from ..conf import conf
from ..models import (
    InstantField,
    Session,
    SessionKind,
    max_username_length,
    normalise_username,
)
from ..sessions import TokenPair
from . import schema
from .hiding import SecretField
from .openapi import extend_schema_field

MAX_DEVICE_NAME_LENGTH: Any = Session._meta.get_field("device_name").max_length
# Characters. Hashing is slow by design, so a longer password is refused before it is hashed.
MAX_PASSWORD_LENGTH = 4096


class UsernameField(serializers.CharField):
    """A name in the form that the database has, as the field of Django's sign-in form."""

    def to_internal_value(self, data: Any) -> str:
        return normalise_username(super().to_internal_value(data))


@schema.component("SignIn")
class SignInSerializer(serializers.Serializer[Any]):
    """The user's password, and name under the name of the user model's USERNAME_FIELD."""

    password = SecretField(
        max_length=MAX_PASSWORD_LENGTH,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        max_length: Any = max_username_length()
        name = UsernameField(max_length=max_length, write_only=True)
        return {get_user_model().USERNAME_FIELD: name, **super().get_fields()}


@schema.component("Refresh")
class RefreshSerializer(serializers.Serializer[Any]):
    refresh = SecretField(
        write_only=True,
        help_text="OAuth clients may send it as refresh_token (RFC 6749 §6).",
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and "refresh" not in data and "refresh_token" in data:
            data = {"refresh": data["refresh_token"]}
        return super().to_internal_value(data)


@schema.component("OptionalRefresh")
class OptionalRefreshSerializer(serializers.Serializer[Any]):
    refresh = SecretField(
        write_only=True,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Identifies the session if the access token has expired.",
    )


@schema.component("Token")
class TokenSerializer(serializers.Serializer[Any]):
    token = SecretField(write_only=True)


@schema.component("Revoke")
class RevokeSerializer(TokenSerializer):
    token_type_hint = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        help_text="Accepted and ignored: the token contains its type (RFC 7009 §2.1).",
    )


@schema.component("Lifetimes")
class LifetimesSerializer(serializers.Serializer[TokenPair]):
    """
    The lifetimes of a pair. The tokens themselves are in cookies.

    A Serializer copies its fields for each answer, which takes longer than to sign the tokens. So
    ``to_representation`` writes the answer, and the fields describe it in OpenAPI.
    """

    expires_in = serializers.SerializerMethodField(help_text="In seconds.")
    refresh_expires_in = serializers.SerializerMethodField(help_text="In seconds.")

    @extend_schema_field({"type": "integer", "minimum": 0})
    def get_expires_in(self, pair: TokenPair) -> int:
        return _seconds_between(pair.answered_at, pair.access_expires_at)

    @extend_schema_field({"type": "integer", "minimum": 0})
    def get_refresh_expires_in(self, pair: TokenPair) -> int:
        return _seconds_between(pair.answered_at, pair.refresh_expires_at)

    def to_representation(self, pair: TokenPair) -> dict[str, Any]:
        return {
            "expires_in": self.get_expires_in(pair),
            "refresh_expires_in": self.get_refresh_expires_in(pair),
        }


@schema.component("Pair")
class PairSerializer(LifetimesSerializer):
    """The answer to a sign-in or a refresh, with the names of simplejwt and of RFC 6749 §5.1."""

    access = serializers.CharField(source="raw_access", read_only=True)
    refresh = serializers.CharField(source="raw_refresh", read_only=True)
    access_token = serializers.CharField(
        source="raw_access", read_only=True, help_text="The same as access, for OAuth clients."
    )
    refresh_token = serializers.CharField(
        source="raw_refresh", read_only=True, help_text="The same as refresh, for OAuth clients."
    )
    token_type = serializers.SerializerMethodField()

    @extend_schema_field(schema.one_of("Bearer"))
    def get_token_type(self, pair: TokenPair) -> str:
        return "Bearer"

    def to_representation(self, pair: TokenPair) -> dict[str, Any]:
        return {
            **super().to_representation(pair),
            "access": pair.raw_access,
            "refresh": pair.raw_refresh,
            "access_token": pair.raw_access,
            "refresh_token": pair.raw_refresh,
            "token_type": self.get_token_type(pair),
        }


@schema.component("RefreshedPair")
class RefreshedPairSerializer(PairSerializer):
    """The answer to a refresh: without the refresh token if TOKENS_RETURN_REFRESH_TOKEN is False."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _without_refresh_token(super().get_fields())

    def to_representation(self, pair: TokenPair) -> dict[str, Any]:
        return _without_refresh_token(super().to_representation(pair))


@schema.component("CSRFToken")
class CSRFTokenSerializer(serializers.Serializer[Any]):
    csrf_token = serializers.CharField(read_only=True)


@schema.component("Empty")
class EmptySerializer(serializers.Serializer[Any]):
    """``{}``"""


class ZonedDateTimeField(serializers.DateTimeField):
    """
    A time with its offset from UTC, also in a project without USE_TZ.

    The project's DATETIME_FORMAT is for its own clients.
    """

    format = ISO_8601

    def default_timezone(self) -> tzinfo:  # type: ignore[override]  # The stub is wrong.
        return timezone.get_current_timezone()


@schema.component("Session")
class SessionSerializer(serializers.ModelSerializer[Session]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        InstantField: ZonedDateTimeField,
    }
    kind = serializers.SerializerMethodField()
    device = serializers.SerializerMethodField(
        help_text="Browser and system, where they are known."
    )
    name = serializers.CharField(
        source="device_name", read_only=True, help_text="What the user calls the device, or empty."
    )
    last_ip_address = serializers.IPAddressField(
        source="refreshed_ip_address",
        read_only=True,
        allow_null=True,
        help_text="Whence it was last refreshed.",
    )
    current = serializers.SerializerMethodField(help_text="Whether this request uses this session.")

    class Meta:
        model = Session
        fields = (
            "id",
            "kind",
            "device",
            "ip_address",
            "started_at",
            "refreshed_at",
            "expires_at",
            "current",
            "name",
            "last_ip_address",
            "idle_until",
        )
        read_only_fields = fields

    @extend_schema_field(schema.one_of(*SessionKind.values))
    def get_kind(self, session: Session) -> str:
        return session.kind

    def get_device(self, session: Session) -> str:
        return device_of(session.user_agent)

    def get_current(self, session: Session) -> bool:
        # There are no claims if another authentication class or force_authenticate() set the user.
        return session.pk == getattr(self.context["request"].auth, "sid", None)


@schema.component("SessionName")
class SessionNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(
        max_length=MAX_DEVICE_NAME_LENGTH,
        allow_blank=True,
        required=False,
        help_text="What the user calls the device; empty: no name.",
    )


def _without_refresh_token(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of an answer to a refresh, as TOKENS_RETURN_REFRESH_TOKEN says."""
    if not conf.TOKENS_RETURN_REFRESH_TOKEN:
        for name in ("refresh", "refresh_token", "refresh_expires_in"):
            del members[name]
    return members


def _seconds_between(earlier: datetime, later: datetime) -> int:
    """Return the seconds between the two, rounded down: a client must not use a token too long."""
    return max(0, int((later - earlier).total_seconds()))
