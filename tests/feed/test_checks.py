"""What ``manage.py check`` says about the feed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from tests.feed.conftest import use_key
from tokens.feed import checks
from tokens.models import SigningKey


def ids(check: Any) -> list[str]:
    return [message.id for message in check()]


ALL = (
    checks.check_readers,
    checks.check_signing_key,
    checks.check_everybody,
    checks.check_user_rule,
    checks.check_grace,
)


def test_a_feed_for_services_has_nothing_to_report(served: None, settings: Any) -> None:
    settings.TOKENS_FEED_READERS = "services"
    assert [ids(check) for check in ALL] == [[], [], [], [], []]


def test_an_unknown_kind_of_readers_is_an_error(settings: Any) -> None:
    settings.TOKENS_FEED_READERS = "nobody"
    assert ids(checks.check_readers) == ["tokens.E059"]


def test_an_hmac_key_is_an_error_if_the_feed_is_served(served: None, settings: Any) -> None:
    use_key("HS384", settings)
    [message] = checks.check_signing_key()
    assert message.id == "tokens.E060"
    assert "rotate_secret --algorithm ES256" in str(message.hint)
    settings.ROOT_URLCONF = "config.urls"
    assert not checks.check_signing_key()


def test_the_first_key_decides_before_there_is_one(
    served: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    SigningKey.objects.all().delete()
    settings.TOKENS_ALGORITHM = "HS256"
    assert ids(checks.check_signing_key) == ["tokens.E060"]
    settings.TOKENS_ALGORITHM = "ES256"

    def fail(*args: Any) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr("tokens.models.uncached.UncachedQuerySet.first", fail)
    assert ids(checks.check_signing_key) == []


def test_a_feed_for_everybody_is_a_warning(served: None, settings: Any) -> None:
    assert ids(checks.check_everybody) == ["tokens.W069"]
    settings.ROOT_URLCONF = "config.urls"
    assert ids(checks.check_everybody) == []


def test_a_user_rule_is_a_warning(served: None, settings: Any) -> None:
    settings.TOKENS_USER_RULE = "builtins.bool"
    assert ids(checks.check_user_rule) == ["tokens.W070"]
    settings.ROOT_URLCONF = "config.urls"
    assert ids(checks.check_user_rule) == []


def test_a_short_grace_is_a_warning(served: None, settings: Any) -> None:
    settings.TOKENS_REFRESH_GRACE = timedelta(seconds=1)
    assert ids(checks.check_grace) == ["tokens.W071"]
    settings.TOKENS_REFRESH_GRACE = timedelta(seconds=10)
    assert ids(checks.check_grace) == []
