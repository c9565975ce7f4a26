"""The formats of bodies and answers. Rules belong in ``sessions``."""

from datetime import datetime, tzinfo
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..client import device_of
from ..models import InstantField, Session
from ..sessions import TokenPair

# Characters. Hashing is slow by design, so a longer password is refused before it is hashed.
MAX_PASSWORD_LENGTH = 4096


class SignInSerializer(serializers.Serializer[Any]):
    """The user's password, and name under the name of the user model's USERNAME_FIELD."""

    password = serializers.CharField(
        max_length=MAX_PASSWORD_LENGTH,
        trim_whitespace=False,
        write_only=True,
        style={"input_type": "password"},
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        user_model = get_user_model()
        name = user_model.USERNAME_FIELD
        max_length: Any = getattr(user_model._meta.get_field(name), "max_length", None)
        return {
            name: serializers.CharField(max_length=max_length, write_only=True),
            **super().get_fields(),
        }


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(write_only=True)


class OptionalRefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(
        write_only=True,
        required=False,
        help_text="Identifies the session if the access token has expired.",
    )


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(write_only=True)


class RevokeSerializer(TokenSerializer):
    token_type_hint = serializers.CharField(
        write_only=True,
        required=False,
        allow_blank=True,
        help_text="Accepted and ignored: the token contains its type (RFC 7009 §2.1).",
    )


class LifetimesSerializer(serializers.Serializer[TokenPair]):
    """The lifetimes of a pair. The tokens themselves are in cookies."""

    expires_in = serializers.SerializerMethodField(help_text="In seconds.")
    refresh_expires_in = serializers.SerializerMethodField(help_text="In seconds.")

    @extend_schema_field({"type": "integer", "minimum": 0})
    def get_expires_in(self, pair: TokenPair) -> int:
        return _seconds_between(pair.answered_at, pair.access_expires_at)

    @extend_schema_field({"type": "integer", "minimum": 0})
    def get_refresh_expires_in(self, pair: TokenPair) -> int:
        return _seconds_between(pair.answered_at, pair.refresh_expires_at)


class PairSerializer(LifetimesSerializer):
    """The answer to a sign-in or a refresh (RFC 6749 §5.1), with simplejwt's names for the tokens."""

    access = serializers.CharField(source="raw_access", read_only=True)
    refresh = serializers.CharField(source="raw_refresh", read_only=True)
    token_type = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "const": "Bearer"})
    def get_token_type(self, pair: TokenPair) -> str:
        return "Bearer"


class CSRFTokenSerializer(serializers.Serializer[Any]):
    csrf_token = serializers.CharField(read_only=True)


class EmptySerializer(serializers.Serializer[Any]):
    """``{}``"""


class ZonedDateTimeField(serializers.DateTimeField):
    """A time with its offset from UTC, also in a project without USE_TZ."""

    def default_timezone(self) -> tzinfo:  # type: ignore[override]  # The stub is wrong.
        return timezone.get_current_timezone()


class SessionSerializer(serializers.ModelSerializer[Session]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        InstantField: ZonedDateTimeField,
    }
    device = serializers.SerializerMethodField()
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
        )
        read_only_fields = fields

    def get_device(self, session: Session) -> str:
        return device_of(session.user_agent)

    def get_current(self, session: Session) -> bool:
        # There are no claims if another authentication class or force_authenticate() set the user.
        return session.pk == getattr(self.context["request"].auth, "sid", None)


def _seconds_between(earlier: datetime, later: datetime) -> int:
    """Return the seconds between the two, rounded down: a client must not use a token too long."""
    return max(0, int((later - earlier).total_seconds()))
