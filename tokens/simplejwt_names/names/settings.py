"""``api_settings``: SIMPLE_JWT with simplejwt's defaults."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from rest_framework.settings import APISettings as DRFSettings

_NAMES = "rest_framework_simplejwt"

DEFAULTS: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "ROTATE_REFRESH_TOKENS": False,
    "BLACKLIST_AFTER_ROTATION": False,
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": None,
    "VERIFYING_KEY": "",
    "AUDIENCE": None,
    "ISSUER": None,
    "JSON_ENCODER": None,
    "JWK_URL": None,
    "LEEWAY": 0,
    "AUTH_HEADER_TYPES": ("Bearer",),
    "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    "USER_AUTHENTICATION_RULE": f"{_NAMES}.authentication.default_user_authentication_rule",
    "AUTH_TOKEN_CLASSES": (f"{_NAMES}.tokens.AccessToken",),
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
    "TOKEN_USER_CLASS": f"{_NAMES}.models.TokenUser",
    "SLIDING_TOKEN_REFRESH_EXP_CLAIM": "refresh_exp",
    "SLIDING_TOKEN_LIFETIME": timedelta(minutes=5),
    "SLIDING_TOKEN_REFRESH_LIFETIME": timedelta(days=1),
    "TOKEN_OBTAIN_SERIALIZER": f"{_NAMES}.serializers.TokenObtainPairSerializer",
    "TOKEN_REFRESH_SERIALIZER": f"{_NAMES}.serializers.TokenRefreshSerializer",
    "TOKEN_VERIFY_SERIALIZER": f"{_NAMES}.serializers.TokenVerifySerializer",
    "TOKEN_BLACKLIST_SERIALIZER": f"{_NAMES}.serializers.TokenBlacklistSerializer",
    "SLIDING_TOKEN_OBTAIN_SERIALIZER": f"{_NAMES}.serializers.TokenObtainSlidingSerializer",
    "SLIDING_TOKEN_REFRESH_SERIALIZER": f"{_NAMES}.serializers.TokenRefreshSlidingSerializer",
    "CHECK_REVOKE_TOKEN": False,
    "REVOKE_TOKEN_CLAIM": "hash_password",
    "CHECK_USER_IS_ACTIVE": True,
}

IMPORT_STRINGS = (
    "AUTH_TOKEN_CLASSES",
    "JSON_ENCODER",
    "TOKEN_USER_CLASS",
    "USER_AUTHENTICATION_RULE",
)


class APISettings(DRFSettings):
    """Reads SIMPLE_JWT, also after a test has overridden it: the object stays the same."""

    _user_settings: dict[str, Any]

    @property
    def user_settings(self) -> dict[str, Any]:
        if "_user_settings" not in vars(self):
            self._user_settings = dict(getattr(settings, "SIMPLE_JWT", None) or {})
        return self._user_settings

    def reload(self) -> None:
        """Read SIMPLE_JWT again. Tests of projects also delete single attributes, to the same end."""
        for name in (*self._cached_attrs, "_user_settings"):
            vars(self).pop(name, None)
        self._cached_attrs.clear()


api_settings = APISettings(None, DEFAULTS, IMPORT_STRINGS)  # type: ignore[arg-type]  # of DRF's own


def reload_api_settings(*, setting: str, **kwargs: Any) -> None:
    if setting == "SIMPLE_JWT":
        api_settings.reload()


setting_changed.connect(reload_api_settings, dispatch_uid="tokens.simple_jwt")
