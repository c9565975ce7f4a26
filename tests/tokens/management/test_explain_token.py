"""``manage.py explain_token`` says what a request would meet, and never the token."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

import jwt
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from tests.support.processes import ROOT, environment, manage
from tokens import denylist, keyring, sessions
from tokens.conf import conf
from tokens.errors import TokenError
from tokens.jose import TokenType, jti_of
from tokens.management.commands import explain_token
from tokens.models import DeniedToken, EndReason, Session, SigningKey
from tokens.operations.explanation import STEPS, Explanation, explain

pytestmark = pytest.mark.django_db


def found(explanation: Explanation) -> dict[str, str]:
    return {step.name: step.found for step in explanation.steps}


def refusals(explanation: Explanation) -> list[str]:
    return [step.name for step in explanation.steps if step.passed is False]


def forged(pair: sessions.TokenPair, *, key: str | None = None, **changes: Any) -> str:
    """Return the access token with other claims, signed by our key unless another is given."""
    members = jwt.decode(pair.raw_access, options={"verify_signature": False})
    header = jwt.get_unverified_header(pair.raw_access)
    for name in ("kid", "typ"):
        header[name] = changes.pop(name, header[name])
    material = key or keyring.signing_key().material
    return jwt.encode({**members, **changes}, material, algorithm="HS256", headers=header)


def refusal_of_a_request(raw_token: str) -> str:
    try:
        sessions.verify(raw_token)
    except TokenError as error:
        return str(error)
    return ""


def deny(value: str, kind: DeniedToken.Kind, by: Any) -> None:
    until = timezone.now() + timedelta(hours=1)
    denylist.deny([(value, None)], kind=kind, reason="laptop stolen", by=by, until=until)


def end(pair: sessions.TokenPair, user: Any) -> str:
    sessions.end([pair.session], reason=EndReason.REVOKED, note="laptop stolen", by=user)
    return pair.raw_access


def rotated_twice(pair: sessions.TokenPair, user: Any) -> str:
    sessions.refresh(sessions.refresh(pair.raw_refresh).raw_refresh)
    return pair.raw_refresh


def after(change: Callable[[sessions.TokenPair, Any], Any]) -> Callable[..., str]:
    def make(pair: sessions.TokenPair, user: Any) -> str:
        change(pair, user)
        return pair.raw_access

    return make


def deactivate(pair: sessions.TokenPair, user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def change_password(pair: sessions.TokenPair, user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(password="another")


def revoke_key(pair: sessions.TokenPair, user: Any) -> None:
    plan = keyring.plan_rotation(revoke_previous=True)
    keyring.rotate(plan, by=user, reason="laptop stolen")


def bring_to_its_limit(pair: sessions.TokenPair, user: Any) -> None:
    Session.objects.update(expires_at=timezone.now() - timedelta(hours=1))


KINDS = DeniedToken.Kind
# What is done to a token, the steps that refuse it, and what is said there.
CASES: dict[str, tuple[Callable[[sessions.TokenPair, Any], str], list[str], str]] = {
    "a good access token": (lambda pair, user: pair.raw_access, [], ""),
    "a good refresh token": (lambda pair, user: pair.raw_refresh, [], ""),
    "garbage": (lambda pair, user: "garbage", ["format"], "three base64url parts"),
    "an unknown key": (lambda pair, user: forged(pair, kid="other"), ["key"], "no key has"),
    "a kid that cannot be stored": (lambda pair, user: forged(pair, kid="\0"), ["key"], "no key"),
    "a revoked key": (after(revoke_key), ["key"], "by ada: laptop stolen"),
    "a forgery": (
        lambda pair, user: forged(pair, key="x" * 32),
        ["signature"],
        "did not sign this token",
    ),
    "another type": (lambda pair, user: forged(pair, typ="JWT"), ["type"], "typ"),
    "a float for exp": (lambda pair, user: forged(pair, exp=1e10), ["type"], "exp"),
    "another issuer": (lambda pair, user: forged(pair, iss="evil"), ["issuer"], "'evil'"),
    "an expired token": (lambda pair, user: forged(pair, exp=1, iat=1), ["expiry"], "1970-"),
    "a token of the future": (lambda pair, user: forged(pair, iat=2**33), ["expiry"], "future"),
    "a denied token": (
        after(
            lambda pair, user: deny(
                jti_of(pair.session.pk, pair.session.generation, TokenType.ACCESS),
                KINDS.TOKEN,
                user,
            )
        ),
        ["denylist"],
        "by ada: laptop stolen",
    ),
    "a denied key": (
        after(lambda pair, user: deny(pair.session.kid, KINDS.KEY, user)),
        ["denylist"],
        "by ada: laptop stolen",
    ),
    "an ended session": (end, ["denylist", "session"], "revoked"),
    "a session over": (after(bring_to_its_limit), ["session"], "absolute limit"),
    "a rotated refresh token": (rotated_twice, ["session"], "generation 2 since"),
    "a pruned session": (
        after(lambda pair, user: Session.objects.all().delete()),
        ["session"],
        "does not exist",
    ),
    "another user's sub": (lambda pair, user: forged(pair, sub="1"), ["user"], "'1'"),
    "an inactive user": (after(deactivate), ["user"], "not active"),
    "another password": (after(change_password), ["user"], "another password"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_refusal_is_found_at_its_step_and_decided_as_for_a_request(
    user: Any, case: str
) -> None:
    make, steps, words = CASES[case]
    raw_token = make(sessions.start(user), user)
    explanation = explain(raw_token)
    assert explanation.refusal == refusal_of_a_request(raw_token)
    assert refusals(explanation) == steps
    assert explanation.accepted is not bool(steps)
    assert [step.name for step in explanation.steps] == list(STEPS)
    if steps:
        assert words in found(explanation)[steps[-1]] + found(explanation)[steps[0]]
    assert raw_token not in repr(explanation)


def test_all_the_reasons_are_seen(user: Any) -> None:
    pair = sessions.start(user)
    end(pair, user)
    deactivate(pair, user)
    later = timezone.now() + conf.TOKENS_ACCESS_LIFETIME + conf.TOKENS_LEEWAY
    explanation = explain(pair.raw_access, now=later)
    assert refusals(explanation) == ["expiry", "denylist", "session", "user"]


def test_a_step_that_was_not_reached_is_no_step_that_passed(user: Any) -> None:
    explanation = explain(forged(sessions.start(user), key="x" * 32))
    passed = [step.passed for step in explanation.steps]
    assert passed == [True, True, False, None, None, None, None, None, None]


def test_a_key_that_only_verifies_says_until_when(user: Any) -> None:
    pair = sessions.start(user)
    keyring.rotate(keyring.plan_rotation())
    row = SigningKey.objects.get(state="retired")
    key = found(explain(pair.raw_access))["key"]
    assert row.kid in key
    assert "only verifies" in key
    assert f"until {row.verifies_until:%Y-%m-%dT%H:%M}" in key


def told(monkeypatch: Any, text: bytes, *words: str) -> tuple[int, str]:
    """Return the exit status and the output for what stands on standard input."""
    monkeypatch.setattr(explain_token.sys, "stdin", TextIOWrapper(BytesIO(text)))
    out = StringIO()
    try:
        call_command("explain_token", *words, stdout=out)
    except SystemExit as status:
        return int(str(status.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.parametrize("copied", ["{}", "  {}\n", "Bearer {}", "Authorization: bearer {}\r\n"])
def test_what_is_copied_with_a_token_does_not_matter(
    user: Any, monkeypatch: Any, copied: str
) -> None:
    raw_token = sessions.start(user).raw_access
    status, said = told(monkeypatch, copied.format(raw_token).encode())
    assert status == 0
    assert said.endswith("This token would be accepted.\n")
    assert raw_token not in said


def test_a_refused_token_is_exit_status_1_and_its_reason_the_last_line(
    user: Any, monkeypatch: Any
) -> None:
    raw_token = end(sessions.start(user), user)
    status, said = told(monkeypatch, raw_token.encode())
    assert status == 1
    assert "by ada: laptop stolen" in said
    assert said.splitlines()[-1].startswith("This token would be refused: Session ")
    assert raw_token not in said


@pytest.mark.parametrize("text", [b"\xff\x00\x1b[2J", b"a.b.c", b"x" * 200_000])
def test_what_is_no_token_is_refused_without_being_repeated(monkeypatch: Any, text: bytes) -> None:
    status, said = told(monkeypatch, text)
    assert status == 1
    assert said.splitlines()[1].split()[:2] == ["format", "REFUSED"]
    assert text[:20].decode("ascii", "replace") not in said


def test_a_closed_standard_input_is_said(monkeypatch: Any) -> None:
    monkeypatch.setattr(explain_token.sys, "stdin", None)
    with pytest.raises(CommandError, match="no token on standard input"):
        call_command("explain_token")


def test_nothing_on_standard_input_is_said(monkeypatch: Any) -> None:
    with pytest.raises(CommandError, match="no token on standard input"):
        told(monkeypatch, b"\n")


def test_json_of_an_accepted_token(user: Any, monkeypatch: Any) -> None:
    pair = sessions.start(user)
    status, said = told(monkeypatch, pair.raw_refresh.encode(), "--json")
    data = json.loads(said)
    assert status == 0
    assert (data["accepted"], data["refusal"], data["denials"]) == (True, None, [])
    assert data["token"] == {
        "type": "rt+jwt",
        "kid": pair.session.kid,
        "jti": jti_of(pair.session.pk, pair.session.generation, TokenType.REFRESH),
        "sid": str(pair.session.pk),
        "sub": str(user.pk),
        "generation": 0,
        "expires_at": f"{pair.refresh_expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert [step["passed"] for step in data["steps"]] == [True] * len(STEPS)


def test_json_of_a_refused_token(user: Any, monkeypatch: Any) -> None:
    pair = sessions.start(user)
    status, said = told(monkeypatch, end(pair, user).encode(), "--json")
    data = json.loads(said)
    assert (status, data["accepted"]) == (1, False)
    [denial] = data["denials"]
    assert (denial["kind"], denial["id"]) == ("sid", str(pair.session.pk))
    assert (denial["denied_by"], denial["reason"]) == ("ada", "laptop stolen")
    assert json.loads(told(monkeypatch, b"garbage", "--json")[1])["token"] is None


@pytest.mark.django_db(transaction=True)
class TestProcesses:
    @pytest.fixture(autouse=True)
    def _ring(self, _fresh_process: None) -> None:
        keyring.ensure()

    def test_a_token_on_the_command_line_is_refused_and_not_repeated(self, user: Any) -> None:
        raw_token = sessions.start(user).raw_access
        for words in ([raw_token], ["--json", raw_token], [raw_token, raw_token]):
            done = manage("explain_token", *words)
            assert done.returncode == 1
            assert "Revoke it" in done.stderr
            assert raw_token not in done.stdout + done.stderr

    def test_a_terminal_does_not_show_what_is_typed(self, user: Any) -> None:
        raw_token = sessions.start(user).raw_access
        status, screen = at_a_terminal(raw_token)
        assert status == 0
        assert "This token would be accepted." in screen
        assert raw_token[:40] not in screen

    def test_a_terminal_that_cuts_a_token_off_is_noticed(self) -> None:
        status, screen = at_a_terminal("x" * 6000)
        assert status == 1
        assert "Pipe it" in screen

    def test_another_secret_is_a_sentence(self, user: Any) -> None:
        raw_token = sessions.start(user).raw_access
        done = manage(
            "explain_token",
            answer=raw_token,
            DJANGO_SETTINGS_MODULE="config.settings",
            TOKEN_SECRET="another" * 6,
        )
        assert done.returncode == 1
        assert "cannot be decrypted with TOKENS_SECRET. Set TOKENS_SECRET to" in done.stderr
        assert "Traceback" not in done.stderr
        assert "another" * 6 not in done.stderr


def at_a_terminal(typed: str) -> tuple[int, str]:
    """Run the command at a terminal where somebody types; return its status and the screen."""
    outside, inside = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "manage.py", "explain_token"],
        cwd=ROOT,
        env=environment(),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        # Its controlling terminal, which is what getpass asks at.
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )
    os.close(inside)
    screen = b""
    while b"not shown" not in screen:
        screen += os.read(outside, 1000)
    os.write(outside, typed.encode() + b"\n")
    try:
        while data := os.read(outside, 1000):
            screen += data
    except OSError:
        pass  # The other side has closed.
    finally:
        os.close(outside)
    return run.wait(timeout=60), screen.decode()
