"""``check --deploy`` reports what a production site should change."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.tokens.checks.conftest import found
from tokens import sessions
from tokens.checks import check_database_file
from tokens.models import DeniedToken, EndReason
from tokens.operations import pruning

pytestmark = pytest.mark.django_db


ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("days", "ids"), [(97, []), (98, ["tokens.W007"])])
def test_a_pruning_that_is_overdue_is_noticed(user: Any, days: int, ids: list[str]) -> None:
    ended_at = timezone.now() - timedelta(days=days, minutes=-1)
    session = sessions.start(user, now=ended_at).session
    sessions.end([session], reason=EndReason.LOGOUT, now=ended_at)
    DeniedToken.objects.all().delete()  # They would have been pruned long ago.
    assert list(found()) == ids
    pruning.prune()
    assert found() == {}


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="Only SQLite's database is a file of ours"
)
@pytest.mark.parametrize(("mode", "ids"), [(0o600, []), (0o640, []), (0o644, ["tokens.W024"])])
def test_a_database_that_every_local_user_can_read_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int, ids: list[str]
) -> None:
    path = tmp_path / "db.sqlite3"
    path.touch()
    path.chmod(mode)
    monkeypatch.setitem(connection.settings_dict, "NAME", path)
    assert list(found()) == ids


def test_a_database_without_a_file_is_not_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", ":memory:")
    assert check_database_file() == []


def deploy_check(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    if connection.vendor == "sqlite":
        changes["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
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


@pytest.mark.slow
def test_check_deploy_is_clean_under_production_settings(tmp_path: Path) -> None:
    run = deploy_check(tmp_path)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
def test_check_deploy_warns_about_weak_settings(tmp_path: Path) -> None:
    run = deploy_check(tmp_path, HTTPS="false", LOGIN_THROTTLE="", ACCESS_TOKEN_LIFETIME="3600")
    assert run.returncode == 1
    for id in ("security.W008", "security.W012", "tokens.W002", "tokens.W003"):
        assert id in run.stderr


def test_a_setting_that_makes_no_sense_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    run = deploy_check(tmp_path, ACCESS_TOKEN_LIFETIME="soon")
    assert run.returncode != 0
    assert run.stderr.rstrip().endswith(
        "ACCESS_TOKEN_LIFETIME is 'soon'. It may be a whole number of seconds from 1 to 315360000."
    )
