"""The options and output of ``manage.py prune_tokens``. test_pruning tests what it deletes."""

import json
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from tests.support.processes import manage
from tokens import denylist, keyring
from tokens.management import base
from tokens.models import DeniedToken, PruneRun


def prune(*words: str) -> str:
    out = StringIO()
    call_command("prune_tokens", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def denials(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """Create three denials that are due, and skip the rests."""
    make_denials(3)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def make_denials(number: int) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    denylist.deny(
        [(f"jti-{n}", None) for n in range(number)],
        kind=DeniedToken.Kind.TOKEN,
        reason="lost",
        until=long_ago,
        now=long_ago,
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("denials")
class TestManners:
    def test_it_says_what_it_deleted_and_the_second_time_that_nothing_is_due(self) -> None:
        assert prune() == "deleted  3 denials\n"
        assert prune() == "There is nothing to delete.\n"
        assert not DeniedToken.objects.exists()

    def test_a_dry_run_changes_nothing(self) -> None:
        assert prune("--dry-run") == "would delete  3 denials\nNothing was changed.\n"
        assert DeniedToken.objects.count() == 3
        assert not PruneRun.objects.exists()

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_json(self, dry_run: bool) -> None:
        assert json.loads(prune("--json", *(["--dry-run"] if dry_run else []))) == {
            "action": "prune",
            "dry_run": dry_run,
            "complete": not dry_run,
            "rows": {"denials": 3, "sessions": 0, "throttle_counts": 0, "keys": 0},
        }

    def test_it_says_when_it_ran_out_of_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter(range(100))
        monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
        said = prune("--batch-size=1", "--max-seconds=2.5")
        assert said.endswith("Stopped after --max-seconds. The next run deletes the rest.\n")
        assert 0 < DeniedToken.objects.count() < 3

    def test_long_work_says_how_far_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base, "PROGRESS_INTERVAL", 0)
        said = StringIO()
        call_command("prune_tokens", "--batch-size=2", stderr=said, stdout=StringIO())
        assert said.getvalue() == "2 denials deleted so far\n3 denials deleted so far\n"

    @pytest.mark.parametrize(
        "words",
        [f"--max-seconds={n}" for n in ("0", "-1", "soon", "inf", "nan")]
        + [f"--batch-size={n}" for n in ("0", "-1", "50001", "many", "1.5", "²")],
    )
    def test_numbers_that_make_no_sense_are_refused(self, words: str) -> None:
        with pytest.raises(CommandError, match="is not a number"):
            prune(words)
        assert DeniedToken.objects.count() == 3

    def test_interrupted_it_says_what_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(seconds: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(time, "sleep", interrupted)
        with pytest.raises(CommandError, match="What was deleted stays deleted") as stopped:
            prune("--batch-size=1")
        assert stopped.value.returncode == 130
        assert DeniedToken.objects.count() == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_it_needs_no_secret_that_opens_the_ring_and_asks_nothing() -> None:
    keyring.ensure()
    make_denials(2)
    other: dict[str, Any] = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TOKEN_SECRET": "another" * 6,
    }
    done = manage("prune_tokens", **other)
    assert (done.returncode, done.stdout) == (0, "deleted  2 denials\n")
    assert not DeniedToken.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_database_that_does_not_answer_is_a_sentence() -> None:
    url = "sqlite:////nonexistent/folder/db.sqlite3"
    done = manage("prune_tokens", DJANGO_SETTINGS_MODULE="config.settings", DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: The database does not answer: unable to open")
