"""The settings of the app are read at every use, and only values of the declared type are used."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from tokens.conf import Setting, Settings, conf

DECLARED: dict[str, Setting[Any, Any]] = {
    name: value for name, value in vars(Settings).items() if isinstance(value, Setting)
}


def a_hook(session: Any) -> Mapping[str, Any]:
    return {}


def test_a_changed_setting_is_read_again(settings: Any) -> None:
    before = conf.TOKENS_LEEWAY
    with override_settings(TOKENS_LEEWAY=timedelta(seconds=3)):
        assert timedelta(seconds=3) == conf.TOKENS_LEEWAY
    assert before == conf.TOKENS_LEEWAY
    settings.TOKENS_LEEWAY = timedelta(seconds=4)
    assert timedelta(seconds=4) == conf.TOKENS_LEEWAY


def test_a_wrong_value_is_refused_after_a_right_one_was_read(settings: Any) -> None:
    settings.TOKENS_ISSUER = "right"
    assert conf.TOKENS_ISSUER == "right"
    for wrong in (None, 7):
        settings.TOKENS_ISSUER = wrong
        with pytest.raises(ImproperlyConfigured, match="TOKENS_ISSUER"):
            _ = conf.TOKENS_ISSUER


def test_a_list_that_changes_in_place_is_read_again(settings: Any) -> None:
    settings.TOKENS_HEADER_TYPES = ["Bearer"]
    assert conf.TOKENS_HEADER_TYPES == ["Bearer"]
    settings.TOKENS_HEADER_TYPES.append("JWT")
    assert conf.TOKENS_HEADER_TYPES == ["Bearer", "JWT"]


def test_a_setting_that_depends_on_another_changes_with_it(settings: Any) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = None
    settings.TOKENS_LOGIN_THROTTLE = "3/min"
    assert conf.TOKENS_ACCOUNT_THROTTLE == "3/min"
    settings.TOKENS_LOGIN_THROTTLE = "4/min"
    assert conf.TOKENS_ACCOUNT_THROTTLE == "4/min"
    settings.TOKENS_ACCOUNT_THROTTLE = ""
    assert conf.TOKENS_ACCOUNT_THROTTLE == ""


def test_without_a_limit_by_address_the_site_has_none_either(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = ""
    assert conf.TOKENS_SITE_THROTTLE == ""
    settings.TOKENS_SITE_THROTTLE = "7/min"
    assert conf.TOKENS_SITE_THROTTLE == "7/min"


def test_the_hook_is_imported_from_its_path(settings: Any) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.a_hook"
    assert conf.TOKENS_CLAIMS_HOOK is a_hook
    settings.TOKENS_CLAIMS_HOOK = None
    assert conf.TOKENS_CLAIMS_HOOK is None


@pytest.mark.parametrize("name", DECLARED)
def test_a_setting_that_the_project_lacks_has_its_default(settings: Any, name: str) -> None:
    settings.TOKENS_LOGIN_THROTTLE = Settings.TOKENS_LOGIN_THROTTLE.default
    setattr(settings, name, None)
    delattr(settings, name)
    default = DECLARED[name].default
    if name == "TOKENS_ACCOUNT_THROTTLE":
        default = Settings.TOKENS_LOGIN_THROTTLE.default
    if name == "TOKENS_SITE_THROTTLE":
        default = "1000/min"
    assert getattr(conf, name) == default


def test_a_list_cannot_be_changed_through_the_value(settings: Any) -> None:
    settings.TOKENS_SECRET_FALLBACKS = ["a former secret"]
    assert conf.TOKENS_SECRET_FALLBACKS == ["a former secret"]
    assert conf.TOKENS_SECRET_FALLBACKS is not settings.TOKENS_SECRET_FALLBACKS
    settings.TOKENS_SECRET_FALLBACKS = default = Settings.TOKENS_SECRET_FALLBACKS.default
    assert conf.TOKENS_SECRET_FALLBACKS is not default


@pytest.mark.parametrize("name", DECLARED)
def test_every_setting_is_named_and_described(name: str) -> None:
    assert name.startswith("TOKENS_")
    assert DECLARED[name].name == name
    assert str(DECLARED[name].__doc__).endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("TOKENS_ACCESS_LIFETIME", 300, "a datetime.timedelta"),
        ("TOKENS_ISSUER", None, "a string"),
        ("TOKENS_ACCOUNT_THROTTLE", 10, "a string, or None for the value of TOKENS_LOGIN_THROTTLE"),
        (
            "TOKENS_SITE_THROTTLE",
            10,
            "a string, or None: 1000/min, or no limit if TOKENS_LOGIN_THROTTLE is empty",
        ),
        ("TOKENS_TRUSTED_PROXIES", "1", "a whole number"),
        ("TOKENS_TRUSTED_PROXIES", True, "a whole number"),
        ("TOKENS_NOTIFY_USERS", "false", "True or False"),
        ("TOKENS_CLAIMS_HOOK", timedelta(1), "a dotted path, or None"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(
    settings: Any, name: str, value: Any, allowed: str
) -> None:
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured) as error:
        getattr(conf, name)
    assert str(error.value) == f"{name} is {value!r}. It may be {allowed}."


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "TOKENS_SECRET",
            b"tiger",
            "TOKENS_SECRET is of type bytes. It may be a string.",
        ),
        (
            "TOKENS_METRICS_TOKEN",
            b"tiger",
            "TOKENS_METRICS_TOKEN is of type bytes. It may be a string, or None.",
        ),
        (
            "TOKENS_SECRET_FALLBACKS",
            "tiger",
            "TOKENS_SECRET_FALLBACKS is of type str. It may be a list of strings.",
        ),
        (
            "TOKENS_SECRET_FALLBACKS",
            [b"tiger"],
            "TOKENS_SECRET_FALLBACKS is of type list. It may be a list of strings.",
        ),
    ],
)
def test_a_secret_of_the_wrong_type_is_refused_and_never_quoted(
    settings: Any, name: str, value: Any, sentence: str
) -> None:
    setattr(settings, name, value)
    with pytest.raises(ImproperlyConfigured) as error:
        getattr(conf, name)
    assert str(error.value) == sentence


def test_fallbacks_may_be_a_tuple(settings: Any) -> None:
    settings.TOKENS_SECRET_FALLBACKS = ("a former secret",)
    assert conf.TOKENS_SECRET_FALLBACKS == ("a former secret",)
