"""``manage.py explain_token`` says how a request would be answered, and never shows the token."""

import getpass
import json
import os
import pty
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.support.processes import ROOT, environment, manage
from tests.tokens.operations.test_explanation import end
from tokens import keyring, sessions
from tokens.jose import TokenType, jti_of
from tokens.operations.explanation import STEPS

pytestmark = pytest.mark.django_db


def told(monkeypatch: Any, text: bytes, *words: str) -> tuple[int, str]:
    """Return the exit status and the output for this text on standard input."""
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text)))
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
    monkeypatch.setattr(sys, "stdin", None)
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


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestProcesses:
    @pytest.fixture(autouse=True)
    def _ring(self, tokens_process: None) -> None:
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
    """Run the command at a terminal, type this, and return its status and the screen."""
    outside, inside = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "manage.py", "explain_token"],
        cwd=ROOT,
        env=environment(),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        # Make it the controlling terminal, which getpass uses.
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


def test_a_terminal_that_is_closed_without_a_token_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(prompt: str) -> str:
        raise EOFError

    terminal = TextIOWrapper(BytesIO())
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(getpass, "getpass", closed)
    with pytest.raises(CommandError, match="no token on standard input"):
        call_command("explain_token")
