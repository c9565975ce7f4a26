"""``manage.py rotate_secret`` asks before a revocation, and can be interrupted."""

import sys
import time
from contextlib import nullcontext
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from tests.tokens.management.rotating import ring, rotate
from tokens import sessions
from tokens.management.commands import rotate_secret


@pytest.mark.django_db
@pytest.mark.usefixtures("_patient")
class TestQuestions:
    @pytest.mark.parametrize(
        ("answer", "refusal"),
        [
            ("yes\n", None),
            ("Yes \n", None),
            ("y\n", r"Nothing was changed\."),
            ("no\n", r"Nothing was changed\."),
            ("\n", r"Nothing was changed\."),
            ("", r"No answer, so nothing was changed\. In scripts, use --noinput\."),
            (None, r"No answer, so nothing was changed\. In scripts, use --noinput\."),
        ],
    )
    def test_a_revocation_is_asked_about(
        self, user: Any, monkeypatch: pytest.MonkeyPatch, answer: str | None, refusal: str | None
    ) -> None:
        sessions.start(user)
        before = ring()
        stdin = None if answer is None else StringIO(answer)  # None: the caller closed it.
        monkeypatch.setattr(sys, "stdin", stdin)
        asked, out = StringIO(), StringIO()
        with pytest.raises(CommandError, match=refusal) if refusal else nullcontext():
            call_command("rotate_secret", "--revoke-previous", stderr=asked, stdout=out)
        assert "revokes 2 keys and with them 1 session of 1 user" in asked.getvalue()
        assert "It cannot be undone." in asked.getvalue()
        assert asked.getvalue().endswith("\n") is (not answer)  # An error begins a line of its own.
        assert (ring() == before) is bool(refusal)
        assert bool(out.getvalue()) is not bool(refusal)

    @pytest.mark.parametrize("words", [[], ["--algorithm=ES256"], ["--reseal"]])
    def test_a_rotation_that_signs_no_user_out_does_not_ask(
        self, monkeypatch: pytest.MonkeyPatch, words: list[str]
    ) -> None:
        monkeypatch.setattr(sys, "stdin", None)
        rotate(*words)


@pytest.mark.django_db
class TestInterruptions:
    def test_at_the_question_nothing_was_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = ring()
        monkeypatch.setattr(rotate_secret.Command, "confirm", interrupted)
        with pytest.raises(CommandError, match=r"Interrupted\. Nothing was changed\.") as stopped:
            rotate("--revoke-previous")
        assert stopped.value.returncode == 130
        assert ring() == before

    def test_while_it_waits_it_claims_nothing_that_is_not_true(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", interrupted)
        with pytest.raises(CommandError, match=r"Interrupted\. Run manage\.py list_keys to see"):
            rotate()
        assert "retired" in ring().values()

    def test_when_the_database_is_lost_it_claims_nothing_untrue(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", database_gone)
        with pytest.raises(CommandError, match=r"server closed.* Run manage\.py list_keys to see"):
            rotate()


def interrupted(*args: Any) -> None:
    raise KeyboardInterrupt


def database_gone(*args: Any) -> None:
    raise OperationalError("server closed the connection unexpectedly\nmore of it")
