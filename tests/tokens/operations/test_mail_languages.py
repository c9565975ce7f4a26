"""Mail is in the language of the user, whatever language the request has that caused it."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.template.loader import render_to_string
from django.utils import translation

from tests.support.grace import be_used
from tests.tokens.operations.test_mail import FIREFOX, HOME, SAFARI
from tokens import keyring, sessions
from tokens.errors import RefreshTokenReused
from tokens.models import Session
from tokens.operations.mail import language_of

pytestmark = pytest.mark.django_db(transaction=True)

HERE = f"{__name__}."


def german(user: Any) -> str:
    return "de"


def french(user: Any) -> str:
    return "fr-CA"


def klingon(user: Any) -> str:
    return "tlh"


def unsaid(user: Any) -> None:
    return None


def broken(user: Any) -> str:
    raise ValueError(user.email)


@pytest.fixture(autouse=True)
def _wanted(settings: Any, tokens_process: None) -> None:
    settings.TOKENS_NOTIFY_USERS = True
    keyring.ensure()


@pytest.fixture
def new_device(user: Any) -> Callable[[], Any]:
    """Return a function that lets a stranger with a Spanish browser sign in, and returns the mail."""

    def sign_in() -> Any:
        sessions.start(user, client=sessions.Client(HOME, FIREFOX))
        with translation.override("es"):
            sessions.start(user, client=sessions.Client("203.0.113.7", SAFARI))
            assert translation.get_language() == "es"
        return mail.outbox[-1]

    return sign_in


def test_a_german_reads_german_from_the_subject_to_the_date(
    new_device: Callable[[], Any], settings: Any
) -> None:
    settings.TOKENS_USER_LANGUAGE = f"{HERE}german"
    message = new_device()
    assert message.subject == "Latchkey: Anmeldung auf einem neuen Gerät"
    assert message.body.startswith("Guten Tag ada,\n\nJemand hat sich bei Latchkey mit Ihrem Konto")
    assert "\n    Gerät       Mobile Safari unter iOS\n" in message.body
    assert "\n    Adresse     203.0.113.7\n" in message.body
    assert not {"Device", "Address", "When", "password"} & set(message.body.split())


@pytest.mark.parametrize(
    ("function", "subject"),
    [
        ("french", "Latchkey\N{NO-BREAK SPACE}: connexion sur un nouvel appareil"),
        ("klingon", "Latchkey: sign-in on a new device"),
        ("unsaid", "Latchkey: sign-in on a new device"),
        ("broken", "Latchkey: sign-in on a new device"),
    ],
)
def test_a_language_that_is_unknown_is_that_of_the_site(
    new_device: Callable[[], Any],
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    function: str,
    subject: str,
) -> None:
    settings.TOKENS_USER_LANGUAGE = f"{HERE}{function}"
    assert new_device().subject == subject
    assert ("language_unknown" in caplog.text) == (function == "broken")


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        ("en-us", "Latchkey: sign-in on a new device"),
        ("pt-br", "Latchkey: login em um novo dispositivo"),
    ],
)
def test_without_a_function_it_is_the_language_of_the_site_and_not_of_the_request(
    new_device: Callable[[], Any], settings: Any, code: str, subject: str
) -> None:
    settings.LANGUAGE_CODE = code
    assert new_device().subject == subject


def test_a_function_that_fails_is_logged_without_what_it_says(
    user: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings.TOKENS_USER_LANGUAGE = f"{HERE}broken"
    assert language_of(user) == "en-us"
    assert "language_unknown" in caplog.text
    assert "reason=ValueError" in caplog.text
    assert "ada@example.org" not in caplog.text


@pytest.mark.parametrize(
    ("language", "date"),
    [
        ("de", "3. Mai 2026, 14:07 UTC"),
        ("en", "3 May 2026, 14:07 UTC"),
        ("es", "3 de mayo de 2026, 14:07 UTC"),
        ("fr", "3 mai 2026, 14:07 UTC"),
        ("pt-br", "3 de Maio de 2026, 14:07 UTC"),
    ],
)
def test_the_date_is_written_as_each_language_does(user: Any, language: str, date: str) -> None:
    started_at = datetime(2026, 5, 3, 14, 7, tzinfo=UTC)
    session = Session(user=user, started_at=started_at)
    with translation.override(language):
        assert date in render_to_string("tokens/mail/new_device.txt", {"session": session})


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt-br"])
def test_the_columns_of_each_mail_are_aligned(
    user: Any, settings: Any, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.operations.mail.language_of", lambda user: language)
    pair = sessions.start(user, client=sessions.Client(HOME, FIREFOX))
    sessions.start(user, client=sessions.Client("203.0.113.7", SAFARI))
    sessions.refresh(pair.raw_refresh, client=sessions.Client(HOME), now=pair.session.started_at)
    sessions.refresh(pair.raw_refresh, client=sessions.Client("203.0.113.9", SAFARI))
    be_used(pair)
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(
            pair.raw_refresh,
            client=sessions.Client("203.0.113.7"),
            now=pair.session.started_at + settings.TOKENS_REFRESH_LIFETIME / 2,
        )
    assert len(mail.outbox) == 3
    for message in mail.outbox:
        table = [line for line in str(message.body).splitlines() if line.startswith("    ")]
        assert len(table) in {3, 4}
        column = 24 if len(table) == 4 else 16
        assert {line[column - 1] for line in table} == {" "}
        assert all(line[column] != " " for line in table)
        assert max(map(len, str(message.body).splitlines())) <= 84
