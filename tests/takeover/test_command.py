"""``manage.py switch_from_simplejwt`` and the checks."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from unittest import mock
from urllib.error import URLError

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm

from tests.support.processes import manage
from tokens import sessions
from tokens.errors import WithoutKeyID
from tokens.takeover import checks
from tokens.takeover.management.commands import switch_from_simplejwt
from tokens.takeover.models import OutstandingToken, Switch

from .conftest import DAY, payload, refresh_token, signed

pytestmark = pytest.mark.django_db


def run(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command("switch_from_simplejwt", *words, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_check_says_what_is_there_and_changes_nothing(user: Any, settings: Any) -> None:
    text = run("--check")
    assert "active users: 1" in text
    assert 'Set it to "on_proof".' in text
    assert "no tables of the blacklist app" in text
    assert "Nothing was changed." in text
    settings.TOKENS_ROTATION = "on_proof"
    assert "keeps its first one until that expires" in run("--check")
    settings.TOKENS_RETURN_REFRESH_TOKEN = False
    assert "as before" in run("--check")
    assert not Switch.objects.exists()


def test_check_names_the_headers_of_clients_that_are_not_read_yet(settings: Any) -> None:
    settings.SIMPLE_JWT = {
        **settings.SIMPLE_JWT,
        "AUTH_HEADER_TYPES": ("JWT", "bearer"),
        "AUTH_HEADER_NAME": "HTTP_X_ACCESS_TOKEN",
    }
    text = run("--check")
    assert 'add "JWT" to TOKENS_HEADER_TYPES' in text
    assert 'add "bearer"' not in text
    assert 'set TOKENS_HEADER_NAME to "X-Access-Token"' in text
    settings.SIMPLE_JWT = {"AUTH_HEADER_TYPES": "Token"}
    settings.TOKENS_HEADER_TYPES = ["token"]
    text = run("--check")
    assert "TOKENS_HEADER" not in text
    assert "A new refresh token is valid for 14 days, and was for 1 day at the former site." in text


@pytest.mark.usefixtures("their_tables")
def test_check_counts_the_tokens_of_the_blacklist_app(user: Any) -> None:
    OutstandingToken.objects.create(jti="one", token="one", expires_at=timezone.now() + DAY)
    text = run("--check")
    assert "outstanding tokens: 1" in text
    assert "no tables of the blacklist app" not in text


def test_check_names_what_cannot_be_carried_over(settings: Any) -> None:
    settings.SIMPLE_JWT = {
        "ROTATE_REFRESH_TOKENS": True,
        "REFRESH_TOKEN_LIFETIME": settings.TOKENS_REFRESH_LIFETIME,
        "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.SlidingToken",),
        "USER_AUTHENTICATION_RULE": "some.rule",
        "CHECK_USER_IS_ACTIVE": False,
    }
    found = json.loads(run("--check", "--json"))
    assert found["found"]["rotates"] is True
    words = " ".join(found["not_carried_over"])
    for word in ("Sliding", "TOKENS_USER_RULE", "CHECK_USER_IS_ACTIVE", "SECRET_KEY", "roll back"):
        assert word in words


@pytest.mark.usefixtures("their_tables")
def test_the_switch_from_its_beginning_to_its_end(user: Any) -> None:
    now = timezone.now()
    with pytest.raises(CommandError, match="has not begun"):
        run("--status")
    assert "1 active user and 0 refresh tokens. Nothing" in run("--adopt", "--dry-run")
    assert not Switch.objects.exists()
    assert "Imported 1 user and 0 refresh tokens." in run("--adopt", "--noinput")
    raw = refresh_token(user, issued=now - timedelta(minutes=1))
    sessions.refresh(raw)
    sessions.refresh(raw)
    text = run("--status")
    assert "The switch is open" in text
    assert "1 former refresh token shown, 1 of them within a day." in text
    assert "1 session of clients that refresh with their first token." in text
    run("--adopt", "--noinput", "--cut-over", "now")
    assert Switch.objects.get().cut_over_at - now < timedelta(minutes=1)
    assert "would refuse 0 refresh tokens not shown yet, and 1" in run("--close", "--dry-run")
    assert json.loads(run("--close", "--noinput", "--json"))["sessions_ended"] == 1
    assert json.loads(run("--status", "--json"))["state"] == "over"
    with pytest.raises(WithoutKeyID):
        sessions.refresh(raw)
    with pytest.raises(CommandError, match="cannot be opened again"):
        run("--adopt", "--noinput")


@pytest.mark.parametrize("act", ["--adopt", "--close"])
def test_nothing_happens_without_a_yes(
    user: Any, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if act == "--close":
        run("--adopt", "--noinput")
    before = list(Switch.objects.values())
    monkeypatch.setattr("sys.stdin", StringIO("no\n"))
    with pytest.raises(CommandError, match="Nothing was changed"):
        run(act)
    assert list(Switch.objects.values()) == before
    monkeypatch.setattr("sys.stdin", StringIO("yes\n"))
    run(act)
    assert list(Switch.objects.values()) != before


def test_the_cut_over_is_an_instant_of_the_next_day_at_most(user: Any) -> None:
    instant = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)
    run("--adopt", "--noinput", "--cut-over", instant.isoformat())
    assert Switch.objects.get().cut_over_at == instant
    with pytest.raises(CommandError, match="more than a day ahead"):
        run("--adopt", "--noinput", "--cut-over", (instant + DAY).isoformat())
    for wrong in ("tomorrow", "2026-01-01"):
        with pytest.raises(CommandError, match="no instant with an offset"):
            run("--adopt", "--noinput", "--cut-over", wrong)
    with pytest.raises(CommandError, match="belongs to --adopt"):
        run("--status", "--cut-over", "now")


def test_settings_that_cannot_be_taken_over_are_named(settings: Any) -> None:
    assert checks.check_settings() == []
    settings.SIMPLE_JWT = {"ALGORITHM": "RS256"}
    with pytest.raises(CommandError, match="VERIFYING_KEY is not set"):
        run("--check")
    (message,) = checks.check_settings()
    assert message.id == "tokens.E058"


def test_a_check_reminds_of_a_switch_that_is_over(user: Any) -> None:
    assert checks.check_over() == []
    run("--adopt", "--noinput")
    assert checks.check_over() == []
    run("--close", "--noinput")
    (message,) = checks.check_over()
    assert message.id == "tokens.W058"
    with mock.patch.object(Switch.objects, "first", side_effect=DatabaseError):
        assert checks.check_over() == []


def test_the_key_of_jwk_url_is_read_once(user: Any, settings: Any) -> None:
    private = rsa.generate_private_key(65537, 2048)
    key_set = {"keys": [RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)]}
    settings.SIMPLE_JWT = {"ALGORITHM": "RS256", "JWK_URL": "https://example.org/keys"}

    def answer(url: str, timeout: float) -> BytesIO:
        return BytesIO(json.dumps(key_set).encode())

    with mock.patch.object(switch_from_simplejwt, "urlopen", answer):
        run("--adopt", "--noinput")
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    members = payload(user.pk, issued=timezone.now() - timedelta(minutes=1))
    sessions.refresh(signed(members, key=pem, algorithm="RS256"))
    for failing in (mock.Mock(side_effect=URLError("gone")), lambda *a, **k: BytesIO(b"[]")):
        with (
            mock.patch.object(switch_from_simplejwt, "urlopen", failing),
            pytest.raises(CommandError, match="JWK_URL"),
        ):
            run("--adopt", "--noinput")
    settings.SIMPLE_JWT = {"ALGORITHM": "RS256", "JWK_URL": "file:///etc/passwd"}
    with pytest.raises(CommandError, match="no address of the web"):
        run("--adopt", "--noinput")


@pytest.mark.slow
def test_no_migration_is_missing() -> None:
    done = manage("makemigrations", "--check", "--dry-run", DATABASE_URL="sqlite://:memory:")
    assert done.returncode == 0, done.stdout + done.stderr
