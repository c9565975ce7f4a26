"""``make run`` sets everything up the first time, and changes nothing later."""

import os
import re
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from config import quickstart
from config.env import ROOT


@pytest.fixture
def example(tmp_path: Path) -> Path:
    copy = tmp_path / ".env.example"
    copy.write_text((ROOT / ".env.example").read_text())
    return copy


def test_env_is_made_with_fresh_secrets_for_its_owner_alone(example: Path) -> None:
    path = example.with_name(".env")
    assert quickstart.make_env_file(path, example=example) is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = dict(re.findall(r"^([A-Z_]+)=(.*)$", path.read_text(), re.M))
    assert len(found["SECRET_KEY"]) >= 64
    assert len(found["TOKEN_SECRET"]) >= 64
    assert found["SECRET_KEY"] != found["TOKEN_SECRET"]
    assert found["DEBUG"] == "true"
    # Otherwise development servers of front ends would not be trusted.
    assert "CSRF_TRUSTED_ORIGINS" not in found


def test_env_that_is_there_is_left_alone(example: Path) -> None:
    path = example.with_name(".env")
    path.write_text("mine")
    assert quickstart.make_env_file(path, example=example) is False
    assert path.read_text() == "mine"


def test_env_that_cannot_be_written_is_a_sentence(example: Path) -> None:
    path = example.parent / "missing" / ".env"
    with pytest.raises(SystemExit, match="cannot be written: No such file"):
        quickstart.make_env_file(path, example=example)


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "-1", "80 80"])
def test_a_port_that_is_none_is_a_sentence(text: str) -> None:
    with pytest.raises(SystemExit, match="It may be a number from 1 to 65535"):
        quickstart.read_port(text)


def test_a_port_that_is_taken_is_a_sentence_that_names_another() -> None:
    with socket.socket() as other:
        other.bind((quickstart.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit, match=f"make run PORT={port + 1}"):
            quickstart.refuse_taken(port)
    quickstart.refuse_taken(port)


def test_the_first_administrator_is_created_once(db: None, django_user_model: Any) -> None:
    password = quickstart.create_first_administrator("admin")
    assert password is not None
    user = django_user_model.objects.get()
    assert user.is_superuser
    assert user.check_password(password)
    assert quickstart.create_first_administrator("admin") is None


def test_a_bad_value_and_a_silent_database_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection refused\n")

    monkeypatch.setattr("django.core.management.call_command", refuse)
    with pytest.raises(SystemExit, match="connection refused"):
        quickstart.migrate()


@pytest.mark.parametrize("first", [True, False])
def test_it_prints_the_password_once_and_a_command_that_works(
    first: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    db: None,
    client: Any,
    user: Any,
) -> None:
    if first:
        user.delete()
    (tmp_path / ".env.example").write_text((ROOT / ".env.example").read_text())
    served = []
    monkeypatch.setattr(quickstart, "ROOT", tmp_path)
    monkeypatch.setattr(quickstart, "migrate", lambda: None)
    monkeypatch.setattr(os, "execv", lambda program, command: served.append(command[-1]))
    monkeypatch.setattr(quickstart, "refuse_taken", lambda port: None)
    monkeypatch.setenv("PORT", "8077")
    quickstart.main()
    printed = capsys.readouterr().out
    assert served == ["127.0.0.1:8077"]
    assert "http://127.0.0.1:8077/admin/" in printed
    body = re.search(r"-d '(.*)'", printed)
    if first:
        assert body is not None
        answer = client.post("/api/token/", body[1], content_type="application/json")
        assert answer.status_code == 200
    else:
        assert body is None
        assert "changepassword" in printed
