"""What the API says is in the language of the request; its codes and its English never change."""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from rest_framework.test import APIClient

import tokens
from tests.conftest import PASSWORD
from tests.wire.conftest import SignIn, sign_in
from tokens import sessions
from tokens.models import EndReason
from tokens.templatetags.tokens_times import tokens_ago

# As browsers send them, and with what a person who reads each expects.
NO_ACCOUNT = {
    "de-AT,de;q=0.9,en;q=0.8": "Zu diesen Zugangsdaten gibt es kein aktives Konto",
    "fr": "Aucun compte actif ne correspond à ces identifiants",
    "es-MX": "Ninguna cuenta activa corresponde a estas credenciales",
    "pt": "Nenhuma conta ativa corresponde a essas credenciais",
    "pt-BR,pt;q=0.9": "Nenhuma conta ativa corresponde a essas credenciais",
    "nl": "No active account found with the given credentials",
    "en-GB,de;q=0.5": "No active account found with the given credentials",
    "*": "No active account found with the given credentials",
}
BLACKLISTED = {
    "de": "Das Token ist gesperrt",
    "fr": "Ce jeton est bloqué",
    "es": "Este token está bloqueado",
    "pt-br": "Este token está bloqueado",
    "en": "Token is blacklisted",
}


@pytest.mark.parametrize(("accepted", "detail"), NO_ACCOUNT.items())
def test_each_language_has_its_own_detail_and_the_same_code(
    api: APIClient, user: Any, accepted: str, detail: str
) -> None:
    answer = api.post(
        "/api/token/",
        {"username": "ada", "password": "wrong"},
        headers={"accept-language": accepted},
    )
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": detail,
        "code": "no_active_account",
        "error": "invalid_grant",
    }
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize(("language", "message"), BLACKLISTED.items())
def test_a_refused_request_has_translated_texts_within_the_same_members(
    bearer: SignIn, user: Any, language: str, message: str
) -> None:
    pair = sessions.start(user)
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    client = bearer(pair.raw_access)
    answer = client.get("/api/me/", headers={"accept-language": language})
    body = answer.json()
    with translation.override(language):
        detail = translation.gettext("Given token not valid for any token type")
    assert body == {
        "detail": detail,
        "code": "token_not_valid",
        "messages": [{"token_class": "AccessToken", "token_type": "access", "message": message}],
    }
    assert (detail == "Given token not valid for any token type") == (language == "en")
    assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


@pytest.mark.parametrize("language", ["de", "es", "fr", "pt-br"])
def test_every_text_of_simplejwt_is_translated_and_its_english_is_kept(language: str) -> None:
    texts = [
        "Authorization header must contain two space-delimited values",
        "Given token not valid for any token type",
        "No active account found for the given token.",
        "No active account found with the given credentials",
        "The user's password has been changed.",
        "Token has wrong type",
        "Token is blacklisted",
        "Token is expired",
        "Token is invalid",
        "User is inactive",
        "User not found",
    ]
    with translation.override(language):
        assert all(translation.gettext(text) != text for text in texts)
    for english in ("en", "en-us", "en-gb"):
        with translation.override(english):
            assert [translation.gettext(text) for text in texts] == texts


def test_the_next_request_of_the_same_thread_has_its_own_language(
    api: APIClient, user: Any
) -> None:
    body = {"username": "ada", "password": "wrong"}
    german = api.post("/api/token/", body, headers={"accept-language": "de"}).json()
    english = api.post("/api/token/", body).json()
    assert german["detail"] != english["detail"]
    assert english["detail"] == "No active account found with the given credentials"


def test_without_the_middleware_a_project_speaks_its_language_code(
    api: APIClient, user: Any, settings: Any
) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "languages" not in name]
    body = {"username": "ada", "password": "wrong"}
    answer = api.post("/api/token/", body, headers={"accept-language": "de"})
    assert answer.json()["detail"] == "No active account found with the given credentials"


def test_a_device_and_its_session_are_described_in_the_language(api: APIClient, user: Any) -> None:
    linux = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    body = {"username": "ada", "password": PASSWORD}
    pair = api.post("/api/token/", body, headers={"user-agent": linux}).json()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    devices = [
        api.get("/api/sessions/", headers={"accept-language": language}).json()["results"][0]
        for language in ("en", "de", "fr")
    ]
    assert [session["device"] for session in devices] == [
        "Firefox on Linux",
        "Firefox unter Linux",
        "Firefox sur Linux",
    ]
    assert {session["kind"] for session in devices} == {"pair"}


def test_limits_and_errors_of_the_server_are_translated(
    api: APIClient, user: Any, settings: Any
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "1/min"
    body = {"username": "ada", "password": "wrong"}
    for _ in range(12):
        answer = api.post("/api/token/", body, headers={"accept-language": "de"})
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("Es gab zu viele Anmeldeversuche.")
    malformed = api.generic(
        "POST",
        "/api/token/",
        "{}",
        content_type="application/json; charset=rot13",
        headers={"accept-language": "de"},
    )
    assert malformed.json()["detail"].startswith("Der Content-Type der Anfrage ist fehlerhaft")


@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/healthz", "/readyz"])
def test_what_only_programs_read_is_the_same_for_every_language(
    path: str, client: Client, tokens_process: None, transactional_db: None
) -> None:
    answers = []
    for language in ("de", "en", "fr"):
        client.get("/admin/login/", headers={"accept-language": "de"})
        answers.append(client.get(path, headers={"accept-language": language}))
        assert translation.get_language() == "en-us", "the thread had the language of the page"
    assert len({answer.content for answer in answers}) == 1
    for answer in answers:
        assert "Accept-Language" not in answer.get("Vary", "")
        assert "Content-Language" not in answer


def test_a_page_has_the_language_of_the_browser(client: Client, db: None) -> None:
    answer = client.get("/admin/login/", headers={"accept-language": "de"})
    assert answer["Content-Language"] == "de"
    assert re.search(r'<html lang="de"', answer.text)
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["1 day ago", "3 days ago", "2 months ago", "just now"]),
        ("de", ["vor 1 Tag", "vor 3 Tagen", "vor 2 Monaten", "gerade eben"]),
        (
            "fr",
            [
                "il y a 1 jour",
                "il y a 3 jours",
                "il y a 2 mois",
                "à l\N{RIGHT SINGLE QUOTATION MARK}instant",
            ],
        ),
    ],
)
def test_how_long_ago_has_the_endings_of_its_language(language: str, texts: list[str]) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    with translation.override(language):
        ages = (timedelta(days=1), timedelta(days=3), timedelta(days=62), timedelta(0))
        assert [tokens_ago(now - age, now).replace("\xa0", " ") for age in ages] == texts


def test_my_sessions_is_a_german_page_for_a_german(browser: Any, user: Any) -> None:
    sign_in(browser)
    german = {"accept-language": "de-DE,de;q=0.9"}
    page = browser.get("/api/sessions/", HTTP_ACCEPT="text/html", headers=german).content.decode()
    assert '<html lang="de"' in page
    for text in ("Meine Sitzungen", "Dieses Gerät", "Endet spätestens", "Überall abmelden"):
        assert text in page
    # The texts of OpenAPI, for developers, are in English.
    users_part = page.partition("Für Entwickler")[0]
    assert not re.search(r">[^<]*\b(?:the|your|session|device)\b[^<]*<", users_part)


def test_the_schema_can_be_read_in_every_language(client: Client, db: None) -> None:
    english = client.get("/api/schema/?format=json").json()
    german = client.get("/api/schema/?format=json", headers={"accept-language": "de"}).json()
    assert english["paths"].keys() == german["paths"].keys()
    assert "Fehler" not in json.dumps(english)


def test_a_project_adds_a_language_and_changes_a_text(
    api: APIClient, user: Any, settings: Any, tmp_path: Path
) -> None:
    """As docs/languages.md says. The German catalogue stands for one that somebody has written."""
    german = Path(tokens.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "django.mo"
    for language in ("nl", "fr"):
        (tmp_path / language / "LC_MESSAGES").mkdir(parents=True)
        shutil.copy(german, tmp_path / language / "LC_MESSAGES")
    settings.LANGUAGES = [("en", "English"), ("nl", "Nederlands"), ("fr", "français")]
    settings.LOCALE_PATHS = [tmp_path]
    body = {"username": "ada", "password": "wrong"}
    for language in ("nl-BE", "fr"):
        answer = api.post("/api/token/", body, headers={"accept-language": language})
        assert answer.json()["detail"] == "Zu diesen Zugangsdaten gibt es kein aktives Konto"
