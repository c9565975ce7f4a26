"""The app's settings: kept once read, and read again when a test changes them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from tokens.conf import conf


def test_a_changed_setting_is_read_again(settings: Any) -> None:
    before = conf.TOKENS_LEEWAY
    with override_settings(TOKENS_LEEWAY=timedelta(seconds=3)):
        assert timedelta(seconds=3) == conf.TOKENS_LEEWAY
    assert before == conf.TOKENS_LEEWAY
    settings.TOKENS_LEEWAY = timedelta(seconds=4)
    assert timedelta(seconds=4) == conf.TOKENS_LEEWAY


def test_a_setting_that_others_follow_from_is_read_again_with_it(settings: Any) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = None
    settings.TOKENS_LOGIN_THROTTLE = "3/min"
    assert conf.TOKENS_ACCOUNT_THROTTLE == "3/min"
    settings.TOKENS_LOGIN_THROTTLE = "4/min"
    assert conf.TOKENS_ACCOUNT_THROTTLE == "4/min"


def test_a_number_for_a_duration_is_refused_by_its_name(settings: Any) -> None:
    settings.TOKENS_ACCESS_LIFETIME = 300
    with pytest.raises(ImproperlyConfigured, match="TOKENS_ACCESS_LIFETIME is 300"):
        conf.TOKENS_ACCESS_LIFETIME  # noqa: B018
