"""``manage.py list_keys`` prints each key's state, times and sessions, and no secret."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.support.processes import environment, manage
from tokens import keyring, sessions
from tokens.models import EndReason, SigningKey


def listed(*words: str) -> str:
    out = StringIO()
    call_command("list_keys", *words, stdout=out)
    return out.getvalue()


def listed_keys() -> list[dict[str, Any]]:
    return list(json.loads(listed("--json"))["keys"])


def an_hour_passes() -> None:
    SigningKey.objects.filter(retired_at__isnull=False).update(
        retired_at=timezone.now() - timedelta(hours=1)
    )


@pytest.mark.django_db
class TestList:
    def test_the_signer_stands_first_then_the_next_the_retired_and_the_revoked(self) -> None:
        keyring.rotate(keyring.plan_rotation(revoke_previous=True))
        an_hour_passes()
        keyring.rotate(keyring.plan_rotation())
        states = [key["state"] for key in listed_keys()]
        assert states == ["signing", "next", "retired", "revoked", "revoked"]
        lines = listed().splitlines()
        assert [line.split()[2] for line in lines[1:]] == states

    def test_a_key_says_since_when_until_when_and_when_it_can_go(self) -> None:
        keyring.rotate(keyring.plan_rotation())
        signing, following, retired = listed_keys()
        row = SigningKey.objects.get(state="retired")
        assert retired == {
            "kid": row.kid,
            "alg": "HS256",
            "state": "retired",
            "since": f"{row.retired_at:%Y-%m-%dT%H:%M:%SZ}",
            "verifies_until": f"{row.verifies_until:%Y-%m-%dT%H:%M:%SZ}",
            "live_sessions": 0,
            "safe_to_remove": f"{row.verifies_until:%Y-%m-%dT%H:%M:%SZ}",
        }
        for key in (signing, following):
            assert (key["verifies_until"], key["safe_to_remove"]) == (None, None)

    def test_sessions_count_under_the_key_that_signed_their_refresh_token(self, user: Any) -> None:
        first, second, third = (sessions.start(user) for _ in range(3))
        sessions.end([third.session], reason=EndReason.LOGOUT)
        keyring.rotate(keyring.plan_rotation())
        keyring.forget()
        sessions.refresh(first.raw_refresh)
        counts = {key["state"]: key["live_sessions"] for key in listed_keys()}
        assert counts == {"signing": 1, "next": 0, "retired": 1}
        assert second.session.kid == next(
            k["kid"] for k in listed_keys() if k["state"] == "retired"
        )

    def test_it_counts_among_the_newest_where_there_are_too_many_and_says_so(
        self, user: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            sessions.start(user)
        assert json.loads(listed("--json"))["counted_sessions"] is None
        for module in ("tokens.operations.tally", "tokens.management.commands.list_keys"):
            monkeypatch.setattr(f"{module}.WINDOW", 2)
        assert listed_keys()[0]["live_sessions"] == 2
        assert json.loads(listed("--json"))["counted_sessions"] == 2
        assert "only those among the newest 2 sessions." in listed()

    def test_it_costs_three_queries_however_many_keys_and_sessions(
        self, user: Any, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            sessions.start(user)
            an_hour_passes()
            keyring.rotate(keyring.plan_rotation())
        with django_assert_num_queries(3):
            listed()

    def test_an_empty_ring_is_a_sentence_that_says_what_to_do(self) -> None:
        SigningKey.objects.all().delete()
        assert listed() == 'No key exists. Run "manage.py migrate" to create the first one.\n'
        assert listed_keys() == []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestProcesses:
    @pytest.fixture(autouse=True)
    def _ring(self, tokens_process: None) -> None:
        keyring.ensure()

    @pytest.mark.parametrize("words", [[], ["--json"]])
    def test_nothing_secret_is_printed(self, words: list[str]) -> None:
        done = manage("list_keys", *words)
        assert done.returncode == 0
        sealed = SigningKey.objects.values_list("sealed", flat=True)
        secrets = [*sealed, environment()["TOKEN_SECRET"], environment()["SECRET_KEY"]]
        assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []

    def test_it_needs_no_secret_that_opens_the_ring(self) -> None:
        other = {"DJANGO_SETTINGS_MODULE": "config.settings", "TOKEN_SECRET": "another" * 6}
        done = manage("list_keys", **other)
        assert (done.returncode, done.stderr) == (0, "")
        assert "signing" in done.stdout

    def test_a_database_that_does_not_answer_is_a_sentence(self) -> None:
        url = "sqlite:////nonexistent/folder/db.sqlite3"
        done = manage("list_keys", DJANGO_SETTINGS_MODULE="config.settings", DATABASE_URL=url)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("CommandError: The database does not answer: unable to open")
        assert "Traceback" not in done.stderr
