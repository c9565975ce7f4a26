"""Commands speak English, whatever language the site has: scripts read what they print."""

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, StringIO, TextIOWrapper
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import translation

from tokens import sessions
from tokens.models import EndReason

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _german(settings: Any) -> Iterator[None]:
    settings.LANGUAGE_CODE = "de"
    with translation.override("de"):
        yield


def printed_by(*words: str) -> str:
    out = StringIO()
    with suppress(SystemExit):  # the exit status of explain_token
        call_command(*words, stdout=out)
    return out.getvalue()


def test_a_command_asks_in_english_and_leaves_the_language_as_it_was(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.start(user)
    asked = StringIO()
    monkeypatch.setattr(sys, "stdin", StringIO("no\n"))
    with pytest.raises(CommandError, match=r"Nothing was changed\."):
        call_command("rotate_secret", "--revoke-previous", "--reason=leak", stderr=asked)
    assert "1 session of 1 user, who must sign in again" in asked.getvalue()
    assert translation.get_language() == "de"


def test_what_a_program_reads_is_the_same_in_every_language(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = sessions.start(user)
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    raw_token = pair.raw_access.encode()
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(raw_token)))
    steps = json.loads(printed_by("explain_token", "--json"))["steps"]
    found = next(step["found"] for step in steps if step["step"] == "session")
    assert found.endswith("signed out")
