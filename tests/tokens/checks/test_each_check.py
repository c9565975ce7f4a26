"""Each check reports its own fault alone, before any user signs in."""

from datetime import timedelta
from typing import Any

import pytest

from tests.tokens.checks.conftest import found

pytestmark = pytest.mark.django_db


SECRET = "a secret that is long enough, 0123456789"
CASES: dict[str, dict[str, Any]] = {
    "tokens.E001": {"TOKENS_SECRET": ""},
    "tokens.E002": {"TOKENS_SECRET": SECRET, "SECRET_KEY": SECRET},
    "tokens.E003": {"TOKENS_SECRET": "short"},
    "tokens.E004": {"TOKENS_REFRESH_LIFETIME": timedelta(minutes=1)},
    "tokens.E005": {"TOKENS_LEEWAY": timedelta(minutes=5)},
    "tokens.E006": {"TOKENS_REFRESH_GRACE": timedelta(seconds=-1)},
    "tokens.E007": {"TOKENS_ALGORITHM": "none"},
    "tokens.E008": {"TOKENS_LOGIN_THROTTLE": "often"},
    "tokens.E009": {"TOKENS_TRUSTED_PROXIES": -1},
    "tokens.E011": {"TOKENS_RETENTION": timedelta(days=1)},
    "tokens.E012": {"TOKENS_CLAIMS_HOOK": "no.such.hook"},
    "tokens.E013": {"TOKENS_GRACE_ELSEWHERE": "warm"},
    "tokens.E014": {"TOKENS_USER_RULE": "no.such.rule"},
    "tokens.E015": {"TOKENS_SESSIONS_PER_USER": -1},
    "tokens.E056": {"TOKENS_ROTATION": "never"},
    "tokens.E057": {"TOKENS_RETURN_REFRESH_TOKEN": False},
    "tokens.W056": {"TOKENS_ROTATION": "on_proof", "TOKENS_RETURN_REFRESH_TOKEN": False},
    "tokens.E020": {"TOKENS_DENYLIST_MODE": "off"},
    "tokens.E021": {
        "TOKENS_DENYLIST_MODE": "snapshot",
        "TOKENS_DENYLIST_MAX_STALENESS": timedelta(0),
    },
    "tokens.E030": {"TOKENS_FORWARDED_HEADER": "x-real-ip"},
    "tokens.W030": {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
    "tokens.W031": {
        "REST_FRAMEWORK": {
            "NUM_PROXIES": 2,
            "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
            "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
        }
    },
    "tokens.W002": {"TOKENS_ACCESS_LIFETIME": timedelta(hours=1)},
    "tokens.W003": {"TOKENS_LOGIN_THROTTLE": ""},
    "tokens.W004": {"TOKENS_REFRESH_GRACE": timedelta(seconds=61)},
    "tokens.W022": {
        "TOKENS_DENYLIST_MODE": "snapshot",
        "TOKENS_USER_RULE": "tests.tokens.sessions.test_starting.only_ada",
    },
    "tokens.W068": {"TOKENS_USER_LANGUAGE": "no.such.function"},
    "tokens.W010": {"TOKENS_COOKIE_SECURE": False},
    "tokens.E050": {"TOKENS_HEADER_TYPES": []},
    "tokens.E051": {"TOKENS_HEADER_NAME": "X Token"},
    "tokens.E018": {"TOKENS_PASSWORD_CHECKS": -1},
    "tokens.W011": {"MIDDLEWARE": ["tokens.api.middleware.ClientMiddleware"]},
    "tokens.W012": {
        "MIDDLEWARE": [
            "tokens.api.middleware.ClientMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "tokens.api.middleware.TokenCookieMiddleware",
        ]
    },
    "tokens.W013": {
        "AUTHENTICATION_BACKENDS": [
            "django.contrib.auth.backends.ModelBackend",
            "tokens.backends.SignInLimitBackend",
        ]
    },
    "tokens.E040": {"TOKENS_ME_SERIALIZER": "no.such.serializer"},
    "tokens.E041": {"TOKENS_HOME_URL": "no-such-route"},
    "tokens.W040": {"TOKENS_ACCES_LIFETIME": timedelta(minutes=1)},
    "tokens.W041": {"TOKEN_CLIENT_ID": "shop"},
    "tokens.W042": {"JWT_AUTH": {}},
    "tokens.W044": {
        "REST_FRAMEWORK": {
            "DEFAULT_AUTHENTICATION_CLASSES": [
                "tokens.authentication.JWTAuthentication",
                "rest_framework.authentication.TokenAuthentication",
            ],
            "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
        }
    },
    "tokens.W046": {
        "REST_FRAMEWORK": {
            "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
        }
    },
    "tokens.W052": {"STATIC_URL": None},
    "tokens.W014": {"MIDDLEWARE": ["tokens.api.middleware.TokenCookieMiddleware"]},
}


def test_sound_settings_are_silent() -> None:
    assert found() == {}


def test_one_middleware_stands_for_its_three_parts(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "tokens.middleware.TokensMiddleware",
    ]
    assert found() == {}


@pytest.mark.parametrize("id", CASES)
def test_each_check_fires_alone_and_says_what_to_do(settings: Any, id: str) -> None:
    if "TOKENS_SECRET" in CASES[id]:
        settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
    for name, value in CASES[id].items():
        setattr(settings, name, value)
    messages = found()
    assert list(messages) == [id]
    assert messages[id].hint
    assert SECRET not in str(messages[id])
