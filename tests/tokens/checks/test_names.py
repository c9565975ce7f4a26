"""Settings that nothing reads are reported with what to set instead."""

from collections.abc import Iterator
from typing import Any

import pytest

from tokens import checks
from tokens.checks import taken_over
from tokens.conf import Setting
from tokens.conf.declaration import text

pytestmark = pytest.mark.django_db


def told(messages: list[Any]) -> list[tuple[str, str]]:
    return [(message.msg.split()[0], message.hint) for message in messages]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("TOKENS_ACCES_LIFETIME", "Did you mean TOKENS_ACCESS_LIFETIME?"),
        ("TOKENS_ACCESS_TOKEN_LIFETIME", "Did you mean TOKENS_ACCESS_LIFETIME?"),
        ("TOKENS_SECRETS_FALLBACK", "Did you mean TOKENS_SECRET_FALLBACKS?"),
        ("TOKENS_X", "Remove it, or choose another prefix for a setting of your own."),
    ],
)
def test_a_misspelt_name_is_reported_with_the_nearest_one(
    settings: Any, name: str, hint: str
) -> None:
    setattr(settings, name, "a value")
    assert told(checks.check_names()) == [(name, hint)]


@pytest.fixture
def _of_a_package() -> Iterator[None]:
    class Optional:
        TOKENS_OF_A_PACKAGE = Setting(text, "", "A setting of a package that can be deleted.")

    yield
    del Setting.declared[Optional.TOKENS_OF_A_PACKAGE.name]


@pytest.mark.usefixtures("_of_a_package")
def test_a_setting_that_another_package_of_the_app_declares_is_known(settings: Any) -> None:
    settings.TOKENS_OF_A_PACKAGE = "a value"
    assert checks.check_names() == []


def test_a_name_without_the_apps_prefix_is_reported_if_the_other_is_not_set(settings: Any) -> None:
    settings.TOKENS_CLIENT_ID = ""
    settings.TOKEN_CLIENT_ID = "shop"
    settings.TOKEN_BUCKET = "the project's own"
    settings.ACCESS_TOKEN_LIFETIME = 300
    assert told(checks.check_names_without_prefix()) == [
        ("ACCESS_TOKEN_LIFETIME", "Rename it to TOKENS_ACCESS_LIFETIME."),
        ("TOKEN_CLIENT_ID", "Rename it to TOKENS_CLIENT_ID."),
    ]
    settings.TOKENS_CLIENT_ID = settings.TOKEN_CLIENT_ID
    del settings.ACCESS_TOKEN_LIFETIME
    assert checks.check_names_without_prefix() == []


def test_the_keys_of_another_package_are_named_with_what_replaces_them(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken_over, "_names", set())
    settings.SIMPLE_JWT = {
        "ISSUER": "shop",
        "ACCESS_TOKEN_LIFETIME": 1,
        "AUTH_HEADER_TYPES": ("JWT",),
        "SIGNING_KEY": "a secret",
    }
    settings.JWT_AUTH = None
    (message,) = checks.check_settings_of_others()
    assert message.hint == (
        "Set TOKENS_ACCESS_LIFETIME instead of ACCESS_TOKEN_LIFETIME. Set TOKENS_HEADER_TYPES instead "
        "of AUTH_HEADER_TYPES. Set TOKENS_ISSUER instead of ISSUER. Nothing here corresponds to SIGNING_KEY. Then remove SIMPLE_JWT."
    )
    assert "a secret" not in str(message)
    checks.take_over("SIMPLE_JWT")
    assert checks.check_settings_of_others() == []


def test_every_setting_that_a_hint_names_exists() -> None:
    from tokens.checks import names

    named = {meant for replaced in names._REPLACED.values() for meant in replaced.values()}
    assert (named | set(names._IN_ENVIRONMENT.values())) <= Setting.declared.keys()
