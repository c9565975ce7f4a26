"""``manage.py revoke_tokens``: what it ends, what it asks, and what a killed run leaves."""

import json
import subprocess
import sys
from contextlib import nullcontext
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.support.processes import ROOT, environment
from tokens import keyring, sessions
from tokens.conf import conf
from tokens.errors import Denied, TokenError
from tokens.jose import TokenType, jti_of
from tokens.models import DeniedToken, EndReason, Session
from tokens.operations import tally

WHY = "--reason=laptop stolen"


def revoke(*words: str, ask: bool = False) -> str:
    out = StringIO()
    call_command("revoke_tokens", *words, *([] if ask else ["--noinput"]), stdout=out)
    return out.getvalue()


def is_good(pair: sessions.TokenPair, *, now: datetime | None = None) -> bool:
    try:
        sessions.authenticate(pair.raw_access, now=now)
        sessions.verify(pair.raw_refresh, now=now)
    except TokenError:
        return False
    return True


@pytest.fixture
def other(db: None) -> Any:
    return get_user_model().objects.create_user("eve", "eve@example.org", "x")


@pytest.mark.django_db
class TestTargets:
    def test_a_user_is_signed_out_everywhere_and_no_other_user(self, user: Any, other: Any) -> None:
        theirs, others = [sessions.start(user) for _ in range(2)], sessions.start(other)
        assert (
            revoke("--user=ada", WHY) == "Revoked 2 sessions of 1 user, who must sign in again.\n"
        )
        assert [is_good(pair) for pair in [*theirs, others]] == [False, False, True]

    def test_every_user_is_signed_out(self, user: Any, other: Any) -> None:
        everybody = [sessions.start(user), sessions.start(other)]
        assert "2 sessions of 2 users" in revoke("--all", WHY)
        assert not any(map(is_good, everybody))
        assert is_good(sessions.start(user))

    def test_one_session_ends_with_its_reason_on_the_denylist(self, user: Any) -> None:
        pair, kept = sessions.start(user), sessions.start(user)
        revoke(f"--session={pair.session.pk}", WHY)
        assert (is_good(pair), is_good(kept)) == (False, True)
        denied = DeniedToken.objects.get()
        assert (denied.kind, denied.value) == ("sid", str(pair.session.pk))
        assert (denied.reason, denied.denied_by, denied.user) == ("laptop stolen", None, user)

    def test_an_access_token_is_denied_alone(self, user: Any) -> None:
        pair = sessions.start(user)
        jti = jti_of(pair.session.pk, pair.session.generation, TokenType.ACCESS)
        said = revoke(f"--jti={jti}", WHY)
        assert said == "Revoked one access token; its session goes on.\n"
        with pytest.raises(Denied):
            sessions.authenticate(pair.raw_access)
        sessions.refresh(pair.raw_refresh)

    def test_a_denied_access_token_stays_denied_for_as_long_as_it_can_live(
        self, user: Any, settings: Any
    ) -> None:
        settings.TOKENS_ACCESS_LIFETIME = timedelta(days=1)
        pair = sessions.start(user)
        settings.TOKENS_ACCESS_LIFETIME = timedelta(minutes=5)
        revoke(f"--jti={jti_of(pair.session.pk, pair.session.generation, TokenType.ACCESS)}", WHY)
        assert DeniedToken.objects.get().until >= pair.access_expires_at + conf.TOKENS_LEEWAY

    def test_a_refresh_token_of_any_generation_takes_its_session_along(self, user: Any) -> None:
        first = sessions.start(user)
        jti = jti_of(first.session.pk, first.session.generation, TokenType.REFRESH)
        second = sessions.refresh(first.raw_refresh)
        assert "1 session of 1 user" in revoke(f"--jti={jti}", WHY)
        assert not is_good(second)

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--user=\udcff"], "No user has the username"),
            (["--user=nobody"], "No user has the username 'nobody'. Nothing was changed."),
            ([f"--session={uuid4()}"], "No session has the sid"),
            (["--jti=garbage"], "'garbage' is not the jti of a token issued here."),
            (["--jti=e30.e30.c2ln"], "That is a whole token, not a jti."),
            ([f"--jti={uuid4().hex}.0a"], "No token has the jti"),
        ],
    )
    def test_what_does_not_exist_is_said(self, words: list[str], sentence: str) -> None:
        with pytest.raises(CommandError) as refused:
            revoke(*words, WHY)
        assert sentence in str(refused.value)

    def test_a_token_of_a_later_generation_was_never_issued(self, user: Any) -> None:
        session = sessions.start(user).session
        with pytest.raises(CommandError, match="No token has the jti"):
            revoke(f"--jti={session.pk.hex}.1a", WHY)

    @pytest.mark.parametrize(
        "words",
        [
            ["--all"],
            [WHY],
            ["--all", "--user=ada", WHY],
            ["--session=1", WHY],
            ["--all", "--reason= "],
            ["--all", "--reason=two\nlines"],
            ["--all", f"--reason={'x' * 201}"],
        ],
    )
    def test_one_target_and_a_reason_are_required(self, user: Any, words: list[str]) -> None:
        pair = sessions.start(user)
        with pytest.raises(CommandError):
            revoke(*words)
        assert is_good(pair)

    def test_a_user_without_a_live_session_is_no_trouble(self, user: Any) -> None:
        sessions.end([sessions.start(user).session], reason=EndReason.LOGOUT)
        said = revoke("--user=ada", WHY, ask=True)
        assert said == "There is nothing to revoke: no live session matches. Nothing was changed.\n"

    def test_a_token_that_was_denied_before_keeps_its_first_reason(self, user: Any) -> None:
        session = sessions.start(user).session
        jti = jti_of(session.pk, 0, TokenType.ACCESS)
        revoke(f"--jti={jti}", "--reason=first")
        assert "Nothing was changed" in revoke(f"--jti={jti}", "--reason=second")
        assert DeniedToken.objects.get().reason == "first"


@pytest.mark.django_db
class TestManners:
    @pytest.mark.parametrize(
        ("answer", "goes_on"), [("yes\n", True), ("YES\n", True), ("no\n", False), ("", False)]
    )
    def test_it_says_what_it_costs_and_asks(
        self, user: Any, monkeypatch: Any, answer: str, goes_on: bool
    ) -> None:
        pairs = [sessions.start(user) for _ in range(3)]
        monkeypatch.setattr(sys, "stdin", StringIO(answer))
        asked = StringIO()
        refused = nullcontext() if goes_on else pytest.raises(CommandError, match="was changed")
        with refused:
            call_command("revoke_tokens", "--all", WHY, stderr=asked, stdout=StringIO())
        assert "revokes 3 sessions of 1 user" in asked.getvalue()
        assert "cannot be undone" in asked.getvalue()
        assert [is_good(pair) for pair in pairs] == [not goes_on] * 3

    def test_a_dry_run_changes_nothing(self, user: Any) -> None:
        pair = sessions.start(user)
        said = revoke("--all", WHY, "--dry-run", ask=True)
        assert said.startswith("This would revoke 1 session of 1 user")
        assert said.endswith("Nothing was changed.\n")
        assert is_good(pair)
        assert not DeniedToken.objects.exists()

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_json(self, user: Any, dry_run: bool) -> None:
        sessions.start(user)
        words = ["--user=ada", WHY, "--json", *(["--dry-run"] if dry_run else [])]
        assert json.loads(revoke(*words)) == {
            "action": "revoke",
            "target": {"user": "ada"},
            "reason": "laptop stolen",
            "dry_run": dry_run,
            "sessions_revoked": 1,
            "users_signed_out": 1,
            "tokens_revoked": 0,
            "counted_all": True,
        }

    def test_many_sessions_are_counted_up_to_a_limit(self, user: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(tally, "WINDOW", 2)
        for _ in range(3):
            sessions.start(user)
        assert revoke("--all", WHY) == (
            "Revoked at least 2 sessions of at least 1 user, who must sign in again.\n"
        )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestProcesses:
    def test_two_at_once_revoke_everything_by_one_row(self, user: Any) -> None:
        keyring.ensure()
        pairs = [sessions.start(user) for _ in range(40)]
        command = [sys.executable, "manage.py", "revoke_tokens", "--all", WHY, "--noinput"]
        runs = [
            subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE)
            for _ in range(2)
        ]
        for run in runs:
            run.communicate(timeout=60)
        assert [run.returncode for run in runs] == [0, 0]
        assert not any(map(is_good, pairs))
        assert DeniedToken.objects.count() == 1

    @pytest.mark.parametrize("verb", ["deactivated", "deleted"])
    def test_a_user_with_many_sessions_is_signed_out_in_one_transaction(
        self, user: Any, monkeypatch: Any, verb: str
    ) -> None:
        keyring.ensure()
        pairs = [sessions.start(user) for _ in range(5)]

        def fail(*args: Any, **how: Any) -> None:
            raise RuntimeError("the disk is full")

        with monkeypatch.context() as failing:
            failing.setattr("tokens.denylist.deny", fail)
            with pytest.raises(RuntimeError):
                change(user, verb)
        assert Session.objects.filter(ended_at=None).count() == 5
        assert not DeniedToken.objects.exists()
        change(user, verb)
        assert not any(map(is_good, pairs))


def change(user: Any, verb: str) -> None:
    if verb == "deleted":
        user.delete()
    else:
        user.is_active = False
        user.save()
