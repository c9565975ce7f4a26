"""The reasons of closes: a short sentence each, in one style with the ends of open connections."""

from typing import Any

import pytest
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated

from tokens.api.http import Unavailable
from tokens.asgi import answers

connections = pytest.importorskip("tokens.connections", reason="The package was deleted.")
ends = connections.ends


@pytest.mark.parametrize(
    ("refusal", "code", "reason"),
    [
        (NotAuthenticated(), 4401, "An access token is missing. Sign in first."),
        (AuthenticationFailed(), 4401, "The access token was refused. Connect with another one."),
        (Unavailable(), 1013, "The session cannot be checked now. Connect again later."),
    ],
)
def test_a_refusal_closes_with_a_code_and_a_reason(refusal: Any, code: int, reason: str) -> None:
    close = {"type": "websocket.close", "code": code, "reason": reason}
    assert answers.close_of(refusal) == close


def test_all_reasons_are_short_sentences_in_ascii() -> None:
    names = ("UNAVAILABLE", "REFUSED", "MISSING")
    reasons = [getattr(answers, name) for name in names]
    reasons += [end.reason for end in vars(ends).values() if isinstance(end, connections.End)]
    assert len(reasons) == 8
    for reason in reasons:
        assert reason.isascii()
        assert reason[0].isupper()
        assert reason.endswith(".")
        assert len(reason) <= 123


def test_what_open_connections_also_say_is_said_in_the_same_words() -> None:
    assert ends.UNAVAILABLE.reason == answers.UNAVAILABLE
    assert answers.CLOSE_CODE == connections.WEBSOCKET_CLOSE_CODE
