"""Settings that are invalid by themselves or in combination are reported."""

from datetime import timedelta
from typing import Any

import pytest

from tests.tokens.checks.conftest import found
from tokens import checks
from tokens.checks.wording import in_words
from tokens.conf import conf

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    [name for name in dir(type(conf)) if name.startswith("TOKENS_") and name.endswith("_THROTTLE")],
)
def test_every_limit_is_checked(settings: Any, name: str) -> None:
    setattr(settings, name, "often")
    assert name in str(found()["tokens.E008"])


@pytest.mark.parametrize(
    ("access", "refresh", "session"), [(5, 5, 9), (6, 5, 9), (1, 9, 5), (-1, 5, 9)]
)
def test_lifetimes_upside_down_are_refused(
    settings: Any, access: int, refresh: int, session: int
) -> None:
    settings.TOKENS_ACCESS_LIFETIME = timedelta(minutes=access)
    settings.TOKENS_REFRESH_LIFETIME = timedelta(minutes=refresh)
    settings.TOKENS_SESSION_LIFETIME = timedelta(minutes=session)
    assert "tokens.E004" in found()


def test_a_grace_may_exceed_the_lifetime_of_an_access_token(settings: Any) -> None:
    """The pair given again has an access token of a whole lifetime."""
    settings.TOKENS_REFRESH_GRACE = settings.TOKENS_ACCESS_LIFETIME
    assert checks.check_lifetimes() == []
    settings.TOKENS_REFRESH_GRACE = settings.TOKENS_REFRESH_LIFETIME
    assert [message.id for message in checks.check_lifetimes()] == ["tokens.E006"]


def test_hints_state_the_declared_defaults(settings: Any) -> None:
    settings.TOKENS_ACCESS_LIFETIME = timedelta(days=91)
    messages = found()
    assert messages["tokens.E004"].msg == (
        "TOKENS_ACCESS_LIFETIME is 91 days, TOKENS_REFRESH_LIFETIME is 14 days and "
        "TOKENS_SESSION_LIFETIME is 90 days."
    )
    defaults = "The defaults are 5 minutes, 14 days and 90 days."
    assert str(messages["tokens.E004"].hint).endswith(defaults)
    assert messages["tokens.W002"].hint == (
        "Set it to 15 minutes or less. The default is 5 minutes."
    )


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=0.25), "0.25 seconds"),
        (timedelta(seconds=-1), "-1 seconds"),
        (timedelta(seconds=61), "61 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(days=365), "365 days"),
        (timedelta(days=400, seconds=1), "34560001 seconds"),
    ],
)
def test_durations_are_written_in_their_largest_whole_unit(duration: timedelta, words: str) -> None:
    assert in_words(duration) == words


@pytest.mark.parametrize(("retention", "incidents"), [(13, 365), (90, 89)])
def test_records_that_go_too_early_are_refused(
    settings: Any, retention: int, incidents: int
) -> None:
    settings.TOKENS_RETENTION = timedelta(days=retention)
    settings.TOKENS_INCIDENT_RETENTION = timedelta(days=incidents)
    assert list(found()) == ["tokens.E011"]


def test_another_first_authentication_class_is_noticed(settings: Any) -> None:
    basic = "rest_framework.authentication.BasicAuthentication"
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_AUTHENTICATION_CLASSES": [basic],
    }
    assert list(found()) == ["tokens.W001"]


def test_a_claims_hook_that_cannot_be_called_is_refused(settings: Any) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.__doc__"
    assert "cannot be called" in str(found()["tokens.E012"])
