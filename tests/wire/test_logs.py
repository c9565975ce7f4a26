"""Whatever is requested, in each log format, no secret and no forged line is logged."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from config.logs import JSONFormatter, RequestIdFilter, TextFormatter
from tests.conftest import PASSWORD
from tests.wire.conftest import Forge
from tokens import keyring, sessions
from tokens.models import Session, SigningKey

FORGED = "FORGED-LINE"
AGENT = f"Mozilla\r\n{FORGED} INFO tokens session_ended sid=1"
NEW_PASSWORD = "a rather different sentence"
TYPED_NAME = f"the password by mistake\n{FORGED}"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[TextFormatter, JSONFormatter])
def output(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Return what the project's own handler writes, from every logger and level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(request.param())
    handler.addFilter(RequestIdFilter())
    loggers = [logging.getLogger(name) for name in (None, "django", "tokens")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    # The logger of tokens propagates to the root.
    for logger in loggers[:2]:
        logger.addHandler(handler)
    yield stream
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


class Caller(APIClient):
    """A client with a forging user agent that remembers every token that it was given."""

    def __init__(self) -> None:
        super().__init__(HTTP_USER_AGENT=AGENT, HTTP_ACCEPT="application/json")
        self.tokens: set[str] = set()
        self.raise_request_exception = False

    def call(self, path: str, body: dict[str, str] | None = None, **header: Any) -> Any:
        answer = self.post(path, body or {}, **header)
        if answer.status_code == 200 and "refresh" in answer.json():
            self.tokens |= {answer.json()["access"], answer.json()["refresh"]}
        return answer


@pytest.fixture
def caller(tokens_process: None) -> Caller:
    keyring.ensure()
    return Caller()


def drive(caller: Caller, user: Any, forge: Forge) -> None:
    """Call every endpoint: correctly, wrongly, and while the server fails."""
    right = {"username": "ada", "password": PASSWORD}
    pair = caller.call("/api/token/", right).json()
    caller.call("/api/token/", {"username": TYPED_NAME, "password": PASSWORD})
    caller.call("/api/token/", {"username": "ada", "password": NEW_PASSWORD})
    caller.call("/api/token/", {"username": "ada\x00", "password": PASSWORD})
    caller.call(f"/api/token/{FORGED}%0A{FORGED}/", right)
    forged = [
        forge(claims={"exp": 1}),
        forge(claims={"jti": f"x\n{FORGED}"}),
        forge(header={"kid": f"x\n{FORGED}"}),
        forge(refresh=True, generation=7),
        f"garbage\n{FORGED}",
    ]
    caller.tokens |= set(forged[:-1])
    for raw_token in [*forged, pair["access"]]:
        bearer: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {raw_token}"}
        caller.get("/api/me/", **bearer)
        caller.get(f"/api/me/?token={FORGED}%0A", **bearer)
        caller.get("/api/sessions/", **bearer)
        for path, name in (
            ("verify", "token"),
            ("revoke", "token"),
            ("introspect", "token"),
            ("refresh", "refresh"),
            ("blacklist", "refresh"),
        ):
            if raw_token != pair["access"] or path != "revoke":
                caller.call(f"/api/token/{path}/", {name: raw_token}, **bearer)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {pair['access']}"}
    user.user_permissions.add(Permission.objects.get(codename="introspect_token"))
    for raw_token in (pair["refresh"], forged[0]):
        caller.call("/api/token/introspect/", {"token": raw_token}, **bearer)
    pair = caller.call("/api/token/refresh/", {"refresh": pair["refresh"]}).json()
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {pair['access']}"}
    change = {"current_password": "wrong", "new_password": NEW_PASSWORD}
    caller.call("/api/me/password/", change, **bearer)
    change["current_password"] = PASSWORD
    pair = caller.call("/api/me/password/", change, **bearer).json()
    successor = caller.call("/api/token/refresh/", {"refresh": pair["refresh"]}).json()
    caller.call("/api/token/refresh/", {"refresh": successor["refresh"]})
    caller.call("/api/token/refresh/", {"refresh": pair["refresh"]})
    right = {"username": "ada", "password": NEW_PASSWORD}
    for path in ("/api/logout/", "/api/logout/all/", "/api/token/revoke/"):
        pair = caller.call("/api/token/", right).json()
        body = {"refresh": pair["refresh"], "token": pair["access"]}
        caller.call(path, body)
        caller.call(path, body, HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    Client(HTTP_USER_AGENT=AGENT).post("/admin/login/", right)
    keyring.rotate(keyring.plan_rotation(revoke_previous=True), reason=f"leaked\n{FORGED}")


def trouble(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the server itself fail, which logs tracebacks."""
    right = {"username": "ada", "password": NEW_PASSWORD}

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"the database said\n{FORGED}")

    with monkeypatch.context() as patched:
        patched.setattr(sessions, "start", fail)
        assert caller.call("/api/token/", right).status_code == 500
    keyring.forget()
    SigningKey.objects.exclude(sealed="").update(sealed="broken")
    assert caller.call("/api/token/", right).status_code == 503
    assert caller.get("/.well-known/jwks.json").status_code == 503
    assert caller.get("/readyz").status_code == 503


def test_nothing_that_is_logged_holds_a_secret_or_a_forged_line(
    user: Any,
    output: io.StringIO,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    forge: Forge,
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "1000/hour"
    sealed = set(SigningKey.objects.values_list("sealed", flat=True))
    drive(caller, user, forge)
    secrets = {
        settings.SECRET_KEY,
        settings.TOKENS_SECRET,
        PASSWORD,
        NEW_PASSWORD,
        TYPED_NAME,
        "by mistake",
        *sealed,
        *Session.objects.values_list("auth_hash", flat=True),
        *caller.tokens,
        # A signature is as good as the token to anyone who knows the rest.
        *(raw_token.rpartition(".")[2] for raw_token in caller.tokens),
    }
    trouble(caller, monkeypatch)
    text = output.getvalue()
    assert len(caller.tokens) > 10
    assert len(text.splitlines()) > 50
    found = [secret for secret in secrets if secret in text]
    assert found == []
    assert not any(line.startswith(FORGED) for line in text.splitlines())
    for expected in (
        *("session_started", "session_refreshed", "session_ended", "reuse_detected"),
        *("token_denied", "key_rotated", "sign_in_failed", "signed_in", "access_refused"),
        *("token_refused", "nothing_to_revoke", "introspected_as_inactive"),
        *("key_ring_unavailable", "the database said", "not ready"),
    ):
        assert expected in text, expected
    if text.startswith("{"):
        lines = [json.loads(line) for line in text.splitlines()]
        assert all("request_id" in line for line in lines if line["logger"] == "django.request")
