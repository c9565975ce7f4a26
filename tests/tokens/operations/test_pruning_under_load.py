"""Pruning while users sign in, refresh and sign out: two runs at once, and a run that is killed."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.support.clients import Diary, calls_and_refreshes, create_users, hammering, sign_in
from tests.support.processes import ROOT, Site, environment, running_site
from tokens import keyring
from tokens.models import DeniedToken, EndReason, PruneRun, Session
from tokens.operations import pruning

CLIENTS = 4
DUE = 3000  # sessions, and as many denials
BUSY_TIMEOUT = 20  # seconds after which SQLite gives up on a lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def fill(user: Any) -> None:
    """Add sessions and denials that are due, and others that are not."""
    now = timezone.now()
    ends = [now - timedelta(days=days) for days in [100] * DUE + [1] * 50]
    sessions = [
        Session(
            id=uuid4(),
            user=user,
            kid="long gone",
            auth_hash="",
            started_at=ended_at,
            refreshed_at=ended_at,
            idle_until=ended_at,
            expires_at=ended_at,
            ended_at=ended_at,
            end_reason=EndReason.LOGOUT,
        )
        for ended_at in ends
    ]
    Session.objects.bulk_create(sessions, batch_size=500)
    DeniedToken.objects.bulk_create(
        [
            DeniedToken(
                value=str(session.pk),
                kind=DeniedToken.Kind.SESSION,
                reason="logout",
                denied_at=ended_at,
                # Denials of the recent sessions still matter.
                until=now + timedelta(days=1) if index >= DUE else ended_at,
            )
            for index, (session, ended_at) in enumerate(zip(sessions, ends, strict=True))
        ],
        batch_size=500,
    )


def start_pruning(*, batch_size: int = 50) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "prune_tokens", f"--batch-size={batch_size}"]
    return subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)


def signs_in_again_and_out(site: Site, diary: Diary) -> None:
    """Do as users do, and check that the session that was signed out stays refused."""
    calls_and_refreshes(site, diary)
    former = diary.access
    diary.note(time.time(), site.post("/api/token/revoke/", token=diary.refresh))
    fresh = sign_in(site, diary.number)
    diary.access, diary.refresh = fresh.access, fresh.refresh
    diary.left.append(former)
    for raw_access in diary.left[-3:]:
        if site.get("/api/me/", raw_access)[0] != 401:
            diary.refused.append("a revoked token was accepted")


def prune_and_kill() -> None:
    """Kill a run that has deleted some of the due rows, and check that the rest is untouched."""
    run = start_pruning(batch_size=5)
    while DeniedToken.objects.filter(until__lt=timezone.now()).count() == DUE:
        assert run.poll() is None
        time.sleep(0.05)
    run.kill()
    assert run.wait(timeout=60) == -signal.SIGKILL
    left = pruning.count()
    assert 0 < left["denials"] < DUE
    assert left["sessions"] == DUE
    assert PruneRun.objects.get().finished_at is None


def test_no_request_waits_no_live_row_is_lost_and_no_revoked_token_is_accepted(user: Any) -> None:
    keyring.ensure()
    fill(user)
    create_users(CLIENTS)
    with running_site(workers=2) as site:
        with hammering(site, signs_in_again_and_out, clients=CLIENTS) as diaries:
            prune_and_kill()
            both = [start_pruning(), start_pruning()]
            assert [run.wait(timeout=300) for run in both] == [0, 0]
        assert pruning.count() == {"denials": 0, "sessions": 0, "throttle_counts": 0, "keys": 0}
        for diary in diaries:
            calls_and_refreshes(site, diary)
            assert {site.get("/api/me/", raw_access)[0] for raw_access in diary.left} == {401}
    assert [diary.refused for diary in diaries] == [[]] * CLIENTS
    assert all(len(diary.left) > 3 for diary in diaries)
    assert max(diary.slowest for diary in diaries) < BUSY_TIMEOUT
    assert Session.objects.filter(ended_at=None).count() == CLIENTS
    assert Session.objects.filter(kid="long gone").count() == 50
    assert PruneRun.objects.get().complete
