from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model

from tests.attacks.arena import committed
from tests.attacks.client import Client
from tests.conftest import PASSWORD
from tests.support.processes import site_under
from tokens import sessions
from tokens.sessions import TokenPair


class Served:
    """The site under one server, and all that the server has printed."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        # uvicorn does not answer a client that has closed its side of the connection.
        self.client = Client(port, hangs_up=name == "gunicorn")
        self.log = log

    def printed(self) -> str:
        return self.log.read_text(errors="replace")


@pytest.fixture(scope="package")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with committed(django_db_blocker):
        yield


@pytest.fixture(scope="package", params=["gunicorn", "uvicorn"])
def served(
    request: pytest.FixtureRequest, db: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("served") / "log"
    with site_under(request.param, {"WEB_CONCURRENCY": "1"}, log=log) as site:
        yield Served(request.param, urlsplit(site.base).port or 0, log)


@pytest.fixture
def pair(db: None) -> Iterator[TokenPair]:
    """Return the pair of a new user."""
    users: Any = get_user_model()._default_manager
    user = users.create_user("ada", "ada@example.org", PASSWORD)
    yield sessions.start(user)
    user.delete()
