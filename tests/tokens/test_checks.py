"""System checks report invalid settings before any user signs in."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, run_checks
from django.db import OperationalError, connection, router
from django.utils import timezone

from tokens import checks, keyring, sessions
from tokens.checks import check_database, check_sequence, check_signing_keys
from tokens.checks.wording import in_words
from tokens.conf import conf
from tokens.models import DeniedToken, EndReason, Session, SigningKey, ThrottleCount
from tokens.operations import pruning

ROOT = Path(__file__).resolve().parents[2]

CASES: dict[str, dict[str, Any]] = {
    "tokens.E001": {"TOKENS_SECRET": ""},
    "tokens.E002": {"TOKENS_SECRET": "s" * 40, "SECRET_KEY": "s" * 40},
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
    "tokens.E020": {"TOKENS_DENYLIST_MODE": "off"},
    "tokens.E021": {
        "TOKENS_DENYLIST_MODE": "snapshot",
        "TOKENS_DENYLIST_MAX_STALENESS": timedelta(0),
    },
    "tokens.W002": {"TOKENS_ACCESS_LIFETIME": timedelta(hours=1)},
    "tokens.W003": {"TOKENS_LOGIN_THROTTLE": ""},
    "tokens.W004": {"TOKENS_REFRESH_GRACE": timedelta(seconds=61)},
    "tokens.W022": {
        "TOKENS_DENYLIST_MODE": "snapshot",
        "TOKENS_USER_RULE": "tests.tokens.sessions.test_starting.only_ada",
    },
    "tokens.W010": {"TOKENS_COOKIE_SECURE": False},
    "tokens.W011": {"MIDDLEWARE": []},
    "tokens.W012": {
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "tokens.api.middleware.TokenCookieMiddleware",
        ]
    },
}


@pytest.mark.parametrize(
    "name",
    [name for name in dir(type(conf)) if name.startswith("TOKENS_") and name.endswith("_THROTTLE")],
)
def test_every_limit_is_checked(settings: Any, name: str) -> None:
    setattr(settings, name, "often")
    assert name in str(found()["tokens.E008"])


def found() -> dict[str, CheckMessage]:
    messages = run_checks(include_deployment_checks=True)
    return {str(message.id): message for message in messages if "tokens." in str(message.id)}


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sound(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "10/min"
    settings.TOKENS_COOKIE_SECURE = True
    keyring.ensure()


def test_sound_settings_are_silent() -> None:
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
    assert "s" * 40 not in str(messages[id])


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


def test_another_secret_than_the_rings_is_found_at_start(settings: Any) -> None:
    settings.TOKENS_SECRET = "not the one that sealed the ring, 0123456789"
    messages = found()
    assert list(messages) == ["tokens.E010"]
    assert messages["tokens.E010"].msg.endswith("cannot be decrypted with TOKENS_SECRET.")
    assert "add that secret to TOKENS_SECRET_FALLBACKS" in str(messages["tokens.E010"].hint)


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


def test_before_the_first_migration_the_ring_is_not_asked_for(monkeypatch: Any) -> None:
    def no_such_table() -> None:
        raise OperationalError("no such table: tokens_signingkey")

    monkeypatch.setattr(keyring, "check", no_such_table)
    assert found() == {}


class ReadsElsewhere:
    def __init__(self, *models: Any) -> None:
        self.models = models

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model in self.models else None


@pytest.mark.parametrize(
    "model", [DeniedToken, Session, SigningKey, ThrottleCount, get_user_model()]
)
def test_a_router_that_reads_from_a_replica_what_decides_is_noticed(
    monkeypatch: Any, model: Any
) -> None:
    monkeypatch.setattr(router, "routers", [ReadsElsewhere(model)])
    assert [message.id for message in check_database()] == ["tokens.W020"]


class WritesElsewhere:
    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "other" if model is Session else None


def test_sessions_in_another_database_than_the_default_are_refused(monkeypatch: Any) -> None:
    assert check_database() == []
    monkeypatch.setattr(router, "routers", [WritesElsewhere()])
    assert [message.id for message in check_database()] == ["tokens.E022"]


def test_atomic_requests_are_noticed_where_the_snapshot_cannot_be_read(
    settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert found() == {}
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    expected = [] if connection.vendor == "postgresql" else ["tokens.W021"]
    assert list(found()) == expected


def test_a_database_that_django_does_not_commit_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
    assert [message.id for message in check_database()] == ["tokens.E023"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sequences")
@pytest.mark.parametrize(("cached", "ids"), [(1, []), (50, ["tokens.W023"])])
def test_a_sequence_that_hands_out_many_numbers_at_once_is_noticed(
    settings: Any, cached: int, ids: list[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE tokens_deniedtoken ALTER COLUMN id SET CACHE {cached}")
    assert check_sequence() == []
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    assert [message.id for message in check_sequence()] == ids


@pytest.mark.parametrize(("days", "ids"), [(90, []), (91, ["tokens.W005"])])
def test_a_key_that_has_signed_for_too_long_is_noticed(days: int, ids: list[str]) -> None:
    SigningKey.objects.filter(state="signing").update(
        signs_since=timezone.now() - timedelta(days=days, minutes=-1)
    )
    assert list(found()) == ids


def test_a_fallback_that_no_key_needs_is_noticed(settings: Any) -> None:
    settings.TOKENS_SECRET_FALLBACKS = ["a former secret, long enough, 0123456789"]
    assert list(found()) == ["tokens.W006"]


def test_a_fallback_that_a_key_needs_is_not(settings: Any) -> None:
    settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
    settings.TOKENS_SECRET = "the new secret, long enough, 0123456789"
    assert found() == {}


@pytest.mark.parametrize(("days", "ids"), [(97, []), (98, ["tokens.W007"])])
def test_a_pruning_that_is_overdue_is_noticed(user: Any, days: int, ids: list[str]) -> None:
    ended_at = timezone.now() - timedelta(days=days, minutes=-1)
    session = sessions.start(user, now=ended_at).session
    sessions.end([session], reason=EndReason.LOGOUT, now=ended_at)
    DeniedToken.objects.all().delete()  # They would have been pruned long ago.
    assert list(found()) == ids
    pruning.prune()
    assert found() == {}


@pytest.mark.parametrize(("retention", "incidents"), [(13, 365), (90, 89)])
def test_records_that_go_too_early_are_refused(
    settings: Any, retention: int, incidents: int
) -> None:
    settings.TOKENS_RETENTION = timedelta(days=retention)
    settings.TOKENS_INCIDENT_RETENTION = timedelta(days=incidents)
    assert list(found()) == ["tokens.E011"]


def test_another_first_authentication_class_is_noticed(settings: Any) -> None:
    basic = "rest_framework.authentication.BasicAuthentication"
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [basic]}
    assert list(found()) == ["tokens.W001"]


def deploy_check(**changes: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "k" * 30 + "0123456789abcdefghijklmnopqrstuvwxyz",
        "TOKEN_SECRET": "t" * 30 + "0123456789abcdefghijklmnopqrstuvwxyz",
        "DEBUG": "false",
        "HTTPS": "true",
        "LOGIN_THROTTLE": "10/min",
        **changes,
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_check_deploy_is_clean_under_production_settings() -> None:
    run = deploy_check()
    assert run.returncode == 0, run.stderr


def test_check_deploy_warns_about_weak_settings() -> None:
    run = deploy_check(HTTPS="false", LOGIN_THROTTLE="", ACCESS_TOKEN_LIFETIME="3600")
    assert run.returncode == 1
    for id in ("security.W008", "security.W012", "tokens.W002", "tokens.W003"):
        assert id in run.stderr


def test_a_setting_that_makes_no_sense_stops_the_start_with_a_sentence() -> None:
    run = deploy_check(ACCESS_TOKEN_LIFETIME="soon")
    assert run.returncode != 0
    assert run.stderr.rstrip().endswith(
        "ACCESS_TOKEN_LIFETIME is 'soon'. It may be a whole number of seconds from 1 to 315360000."
    )


def test_a_ring_without_a_signing_key_has_none_that_is_too_old() -> None:
    SigningKey.objects.all().delete()
    keyring.forget()
    assert check_signing_keys() == []


def test_a_claims_hook_that_cannot_be_called_is_refused(settings: Any) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.ROOT"
    assert "cannot be called" in str(found()["tokens.E012"])
