"""The options and output of ``manage.py rotate_secret``. test_rotation tests the ring."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from tests.support.processes import environment, manage
from tests.tokens.management.rotating import kid_of, ring, rotate, rotate_json
from tokens import keyring, sessions
from tokens.errors import TokenError
from tokens.models import DeniedToken, EndReason, SigningKey

OTHER_SECRET = "another-token-secret-that-is-long-enough-0123456789"


@pytest.mark.django_db
@pytest.mark.usefixtures("_patient")
class TestOptions:
    def test_plainly_the_published_key_signs_and_the_former_verifies(self) -> None:
        former, published = kid_of("signing"), kid_of("next")
        lines = rotate().splitlines()
        until = SigningKey.objects.get(kid=former).verifies_until
        assert lines == [
            "Rotated. Waiting a second until every process uses the new key.",
            f"signing  {published}  HS256",
            f"next     {kid_of('next')}  HS256",
            f"retired  {former}  until {until:%Y-%m-%dT%H:%M:%SZ}",
        ]
        assert (kid_of("signing"), kid_of("retired")) == (published, former)

    def test_another_algorithm_signs_at_once(self) -> None:
        published = kid_of("next")
        said = rotate("--algorithm=ES256")
        assert SigningKey.objects.get(state="signing").algorithm == "ES256"
        assert f"dropped  {published}, which never signed" in said

    def test_publish_only_leaves_the_signer(self) -> None:
        signer = kid_of("signing")
        said = rotate("--algorithm=EdDSA", "--publish-only")
        assert kid_of("signing") == signer
        assert said == f"next     {kid_of('next')}  EdDSA, signs from the next rotation on\n"

    def test_revoking_the_previous_keys_signs_every_user_out(self, user: Any) -> None:
        pair = sessions.start(user)
        former = set(ring())
        said = rotate("--revoke-previous", "--noinput", "--reason=laptop stolen")
        with pytest.raises(TokenError):
            sessions.verify(pair.raw_refresh)
        assert {kid for kid in former if f"revoked  {kid}" in said} == former
        assert said.endswith("1 session of 1 user revoked: they must sign in again.\n")
        reasons = set(DeniedToken.objects.values_list("value", "reason"))
        assert reasons == {(kid, "laptop stolen") for kid in former}

    def test_revoking_with_no_user_signed_in_says_so(self) -> None:
        said = rotate("--revoke-previous", "--noinput")
        assert said.endswith(
            "No live session has a token signed by these keys: no user is signed out.\n"
        )
        assert set(DeniedToken.objects.values_list("reason", flat=True)) == {"signing key revoked"}

    def test_of_sessions_that_were_not_all_counted_it_says_no_such_thing(
        self, user: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tokens.operations.tally.WINDOW", 1)
        sessions.start(user, now=timezone.now() - timedelta(hours=1))
        sessions.end([sessions.start(user).session], reason=EndReason.LOGOUT)
        said = rotate("--revoke-previous", "--noinput")
        assert "no user is signed out" not in said
        assert said.endswith(
            "at least 0 sessions of at least 0 users revoked: they must sign in again.\n"
        )

    def test_a_lost_secret_does_not_keep_an_operator_from_starting_anew(
        self, user: Any, settings: Any
    ) -> None:
        pair = sessions.start(user)
        settings.TOKENS_SECRET = OTHER_SECRET
        with pytest.raises(CommandError, match="cannot be decrypted with TOKENS_SECRET"):
            rotate("--revoke-previous", "--noinput")
        rotate("--revoke-previous", "--secret-lost", "--noinput")
        keyring.check()
        with pytest.raises(TokenError):
            sessions.verify(pair.raw_access)

    def test_resealing_says_which_keys_and_what_is_not_needed_any_more(self, settings: Any) -> None:
        settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
        settings.TOKENS_SECRET = OTHER_SECRET
        before = ring()
        lines = rotate("--reseal").splitlines()
        assert {f"resealed  {kid}" for kid in before} == set(lines[:-1])
        assert lines[-1] == (
            "2 keys resealed under TOKENS_SECRET. You can empty TOKENS_SECRET_FALLBACKS."
        )
        settings.TOKENS_SECRET_FALLBACKS = []
        keyring.check()
        assert ring() == before

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["--reseal", "--algorithm=ES256"], "--reseal rotates nothing"),
            (["--reseal", "--revoke-previous"], "--reseal rotates nothing"),
            (["--publish-only"], "--publish-only requires --algorithm"),
            (
                ["--publish-only", "--algorithm=ES256", "--revoke-previous"],
                "--publish-only requires --algorithm",
            ),
            (["--secret-lost"], "--secret-lost requires --revoke-previous"),
            (["--reason=tidy"], "--reason requires --revoke-previous"),
            (["--revoke-previous", "--reason= "], "give a reason"),
            (["--revoke-previous", f"--reason={'x' * 201}"], "in one line of 1 to 200 characters"),
            (["--algorithm=none"], "invalid choice: 'none'"),
        ],
    )
    def test_contradictions_change_nothing(self, words: list[str], sentence: str) -> None:
        before = ring()
        with pytest.raises(CommandError) as refused:
            rotate(*words, "--noinput")
        assert sentence in str(refused.value)
        assert ring() == before

    def test_a_rotation_right_after_another_says_where_to_look(self) -> None:
        rotate()
        before = ring()
        with pytest.raises(CommandError, match=r"Another rotation was first.*manage\.py list_keys"):
            rotate()
        assert ring() == before

    @pytest.mark.parametrize("words", [[], ["--algorithm=ES256"], ["--revoke-previous"]])
    def test_an_empty_ring_is_a_sentence(self, words: list[str]) -> None:
        SigningKey.objects.all().delete()
        with pytest.raises(CommandError, match=r"No signing key exists. Run .manage\.py migrate"):
            rotate(*words, "--noinput")


@pytest.mark.django_db
@pytest.mark.usefixtures("_patient")
class TestDryRuns:
    @pytest.mark.parametrize(
        "words",
        [
            [],
            ["--algorithm=ES256"],
            ["--algorithm=ES256", "--publish-only"],
            ["--revoke-previous"],
            ["--reseal"],
        ],
    )
    @pytest.mark.parametrize("as_json", [[], ["--json"]])
    def test_nothing_is_changed_and_nothing_is_asked(
        self, user: Any, settings: Any, words: list[str], as_json: list[str]
    ) -> None:
        sessions.start(user)
        settings.TOKENS_SECRET_FALLBACKS = [settings.TOKENS_SECRET]
        settings.TOKENS_SECRET = OTHER_SECRET
        before = list(SigningKey.objects.order_by("kid").values())
        said = rotate(*words, "--dry-run", *as_json)
        assert list(SigningKey.objects.order_by("kid").values()) == before
        assert not DeniedToken.objects.exists()
        if as_json:
            assert json.loads(said)["dry_run"] is True
        else:
            assert said.endswith("Nothing was changed.\n")

    def test_it_says_what_would_be_revoked(self, user: Any) -> None:
        sessions.start(user)
        said = rotate("--revoke-previous", "--dry-run")
        assert "1 session of 1 user would be revoked." in said
        assert all(f"revoked  {kid}" in said for kid in ring())

    def test_it_says_what_would_sign_and_until_when_the_former_verifies(self) -> None:
        said = rotate("--dry-run")
        assert f"signing  {kid_of('next')}" in said
        assert f"retired  {kid_of('signing')}  until 20" in said
        assert "signing  a new key  RS256" in rotate("--dry-run", "--algorithm=RS256")


@pytest.mark.django_db
@pytest.mark.usefixtures("_patient")
class TestJSON:
    def test_of_a_rotation(self) -> None:
        former, published = kid_of("signing"), kid_of("next")
        report = rotate_json()
        until = SigningKey.objects.get(kid=former).verifies_until
        assert report == {
            "action": "rotate",
            "dry_run": False,
            "alg": "HS256",
            "signing": published,
            "next": kid_of("next"),
            "dropped": None,
            "retired": former,
            "verifies_until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "revoked": [],
            "sessions_revoked": 0,
            "users_signed_out": 0,
            "counted_all": True,
        }

    def test_of_a_revocation(self, user: Any) -> None:
        sessions.start(user)
        former = set(ring())
        report = rotate_json("--revoke-previous", "--noinput")
        assert set(report.pop("revoked")) == former
        assert report == {
            "action": "rotate",
            "dry_run": False,
            "alg": "HS256",
            "signing": kid_of("signing"),
            "next": kid_of("next"),
            "dropped": None,
            "retired": None,
            "verifies_until": None,
            "sessions_revoked": 1,
            "users_signed_out": 1,
            "counted_all": True,
        }

    def test_of_a_publication(self) -> None:
        report = rotate_json("--publish-only", "--algorithm=ES256")
        published = {"action": "publish", "dry_run": False, "next": kid_of("next"), "alg": "ES256"}
        assert report == published

    def test_of_a_resealing(self) -> None:
        assert rotate_json("--reseal") == {"action": "reseal", "dry_run": False, "resealed": []}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestProcesses:
    @pytest.fixture(autouse=True)
    def _ring(self, tokens_process: None) -> None:
        keyring.ensure()

    def test_a_rotation_prints_nothing_secret(self, user: Any) -> None:
        hour = timezone.now() - timedelta(hours=1)
        for words in (["rotate_secret"], ["rotate_secret", "--revoke-previous", "--noinput"]):
            SigningKey.objects.filter(retired_at__isnull=False).update(retired_at=hour)
            sealed = list(SigningKey.objects.exclude(sealed="").values_list("sealed", flat=True))
            done = manage(*words)
            assert done.returncode == 0, done.stderr
            printed = done.stdout + done.stderr
            sealed += SigningKey.objects.exclude(sealed="").values_list("sealed", flat=True)
            secrets = [*sealed, environment()["TOKEN_SECRET"], environment()["SECRET_KEY"]]
            assert [secret for secret in secrets if secret in printed] == []

    @pytest.mark.parametrize(
        "words",
        [["rotate_secret"], ["rotate_secret", "--reseal"], ["rotate_secret", "--dry-run"]],
        ids=" ".join,
    )
    def test_another_secret_is_a_sentence_that_says_what_to_do(self, words: list[str]) -> None:
        before = ring()
        done = manage(*words, DJANGO_SETTINGS_MODULE="config.settings", TOKEN_SECRET=OTHER_SECRET)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("CommandError: The signing key ")
        assert "cannot be decrypted with TOKENS_SECRET. Set TOKENS_SECRET to" in done.stderr
        assert "add that secret to TOKENS_SECRET_FALLBACKS" in done.stderr
        assert OTHER_SECRET not in done.stderr
        assert ring() == before

    @pytest.mark.parametrize(
        ("url", "cause"),
        [
            ("sqlite:////nonexistent/folder/db.sqlite3", "The database does not answer: unable"),
            ("postgres://nobody:hunter2@127.0.0.1:1/none", "The database does not answer: "),
            ("sqlite:///:memory:", "The database lacks a table (no such table: tokens_signingkey)"),
        ],
        ids=["no file", "no server", "no table"],
    )
    def test_a_database_that_does_not_answer_is_a_sentence(self, url: str, cause: str) -> None:
        done = manage("rotate_secret", DJANGO_SETTINGS_MODULE="config.settings", DATABASE_URL=url)
        assert (done.returncode, done.stdout) == (1, "")
        # psycopg's pool logs why it cannot connect, before the error and perhaps after it.
        assert f"\nCommandError: {cause}" in f"\n{done.stderr}"
        assert "Traceback" not in done.stderr
        assert "hunter2" not in done.stderr
