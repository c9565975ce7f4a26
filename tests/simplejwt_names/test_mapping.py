"""SIMPLE_JWT becomes the settings of this app, and what it cannot become is reported."""

from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import pytest
from django.core.checks import CheckMessage

if find_spec("tokens.simplejwt_names") is None:
    pytest.skip("the package was deleted", allow_module_level=True)

from tokens.conf import conf
from tokens.simplejwt_names import checks, mapping
from tokens.simplejwt_names.names.settings import api_settings

OURS = [
    "TOKENS_ACCESS_LIFETIME",
    "TOKENS_ALGORITHM",
    "TOKENS_AUDIENCE",
    "TOKENS_HEADER_NAME",
    "TOKENS_HEADER_TYPES",
    "TOKENS_ISSUER",
    "TOKENS_REFRESH_LIFETIME",
    "TOKENS_RETURN_REFRESH_TOKEN",
    "TOKENS_SESSION_LIFETIME",
    "TOKENS_USER_RULE",
]
RULE = "tests.tokens.sessions.test_starting.only_ada"


@pytest.fixture
def bare(settings: Any) -> Any:
    """Settings in which the project has set none of those that SIMPLE_JWT becomes."""
    for name in OURS:
        if hasattr(settings, name):
            delattr(settings, name)
    # Restored after the test: apply() sets them on Django's own object.
    return settings


def applied(settings: Any, **given: Any) -> dict[str, Any]:
    settings.SIMPLE_JWT = given
    mapping.apply()
    found = {name: getattr(settings, name) for name in OURS if hasattr(settings, name)}
    for name in found:
        delattr(settings, name)
    return found


def test_the_defaults_are_those_of_simplejwt(bare: Any) -> None:
    day = timedelta(days=1)
    assert applied(bare) == {"TOKENS_REFRESH_LIFETIME": day, "TOKENS_SESSION_LIFETIME": day}


def test_each_setting_has_its_counterpart(bare: Any) -> None:
    assert applied(
        bare,
        ACCESS_TOKEN_LIFETIME=timedelta(minutes=2),
        REFRESH_TOKEN_LIFETIME=timedelta(days=120),
        ROTATE_REFRESH_TOKENS=True,
        ALGORITHM="ES256",
        AUDIENCE="shop",
        ISSUER="https://example.org",
        AUTH_HEADER_TYPES="JWT",
        AUTH_HEADER_NAME="HTTP_X_ACCESS_TOKEN",
        USER_AUTHENTICATION_RULE=RULE,
    ) == {
        "TOKENS_ACCESS_LIFETIME": timedelta(minutes=2),
        "TOKENS_REFRESH_LIFETIME": timedelta(days=120),
        "TOKENS_SESSION_LIFETIME": timedelta(days=120),
        "TOKENS_ALGORITHM": "ES256",
        "TOKENS_AUDIENCE": "shop",
        "TOKENS_ISSUER": "https://example.org",
        "TOKENS_HEADER_TYPES": ["JWT"],
        "TOKENS_HEADER_NAME": "X-Access-Token",
        "TOKENS_USER_RULE": RULE,
    }


def test_with_rotation_a_session_lasts_as_long_as_this_app_allows(bare: Any) -> None:
    found = applied(bare, ROTATE_REFRESH_TOKENS=True, AUDIENCE=["a", "b"])
    assert found["TOKENS_SESSION_LIFETIME"] == timedelta(days=90)
    assert "TOKENS_AUDIENCE" not in found


def test_on_proof_answers_as_simplejwt_did(bare: Any) -> None:
    bare.TOKENS_ROTATION = "on_proof"
    assert applied(bare)["TOKENS_RETURN_REFRESH_TOKEN"] is False
    assert applied(bare, ROTATE_REFRESH_TOKENS=True)["TOKENS_RETURN_REFRESH_TOKEN"] is True


def test_what_the_project_sets_itself_stays(bare: Any) -> None:
    bare.TOKENS_ISSUER = "ours"
    bare.SIMPLE_JWT = {"ISSUER": "theirs", "USER_AUTHENTICATION_RULE": mapping.DEFAULT_RULE}
    mapping.apply()
    assert conf.TOKENS_ISSUER == "ours"
    assert conf.TOKENS_USER_RULE is None
    for name in ("TOKENS_REFRESH_LIFETIME", "TOKENS_SESSION_LIFETIME"):
        delattr(bare, name)


def reported(settings: Any, **given: Any) -> list[CheckMessage]:
    settings.SIMPLE_JWT = given
    api_settings.reload()
    return [*checks.check_simple_jwt(), *checks.check_clients_keep_tokens()]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNING_KEY", "another secret"),
        ("VERIFYING_KEY", "-----BEGIN PUBLIC KEY-----"),
        ("JWK_URL", "https://example.org/jwks.json"),
        ("ALGORITHM", "ES256K"),
        ("AUDIENCE", ["a", "b"]),
        ("JTI_CLAIM", None),
        ("TOKEN_TYPE_CLAIM", None),
        ("USER_ID_CLAIM", "sid"),
        ("CHECK_USER_IS_ACTIVE", False),
        ("CHECK_REVOKE_TOKEN", True),
        ("LEEWAY", 60),
        ("ACCESS_TOKEN_LIFETIME", timedelta(hours=1)),
        ("REFRESH_TOKEN_LIFETIME", timedelta(0)),
        ("AUTH_HEADER_NAME", "X_TOKEN"),
        ("ACCES_TOKEN_LIFETIME", timedelta(1)),
    ],
)
def test_a_setting_that_is_not_honoured_is_reported_by_its_name(
    settings: Any, name: str, value: Any
) -> None:
    messages = reported(settings, **{name: value}, ROTATE_REFRESH_TOKENS=True)
    assert [message.id for message in messages] == ["tokens.W061"]
    assert f'SIMPLE_JWT["{name}"] is not honoured' in messages[0].msg
    assert messages[0].hint


def test_sound_settings_are_not_reported(settings: Any) -> None:
    sound = {"SIGNING_KEY": settings.SECRET_KEY, "USER_ID_CLAIM": "sub", "LEEWAY": 5}
    assert not reported(settings, **sound, ROTATE_REFRESH_TOKENS=True)


def test_clients_that_keep_their_first_token_are_reported(settings: Any) -> None:
    (message,) = reported(settings)
    assert message.id == "tokens.W062"
    settings.TOKENS_ROTATION = "on_proof"
    assert not reported(settings)
