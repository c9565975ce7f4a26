"""``make serve`` refuses to start if it could not serve, or would expose error details."""

from typing import Any

import pytest

from config import serve


def test_debug_is_refused(settings: Any) -> None:
    serve.refuse_debug()
    settings.DEBUG = True
    with pytest.raises(SystemExit, match="Set DEBUG=false"):
        serve.refuse_debug()


@pytest.mark.parametrize("text", ["0", "-1", "x", "1000", " 2"])
def test_a_number_of_processes_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(SystemExit, match="WEB_CONCURRENCY is "):
        serve.read_workers(text)


@pytest.mark.parametrize("text", [None, "1", "12"])
def test_any_other_number_of_processes_is_taken(text: str | None) -> None:
    serve.read_workers(text)


@pytest.mark.django_db
def test_a_migrated_database_is_taken() -> None:
    serve.refuse_unmigrated()


@pytest.mark.django_db
def test_a_failed_check_is_refused(settings: Any) -> None:
    settings.TOKENS_ALGORITHM = "none"
    with pytest.raises(SystemExit, match=r"tokens\.E007"):
        serve.refuse_failed_checks()


@pytest.mark.parametrize("server", ["wsgi", "asgi"])
def test_the_site_is_served_by_wsgi_or_asgi(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER", server)
    assert serve.read_server() == server


@pytest.mark.parametrize("server", ["x", "", "ASGI"])
def test_another_server_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER", server)
    with pytest.raises(SystemExit, match=f"SERVER is '{server}'. It may be one of wsgi, asgi"):
        serve.read_server()
