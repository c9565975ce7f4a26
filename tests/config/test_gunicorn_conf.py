"""What ``config.gunicorn_conf`` sets for the processes of ``make serve``."""

import os
import subprocess
import sys

import pytest
from gunicorn.config import Config
from gunicorn.util import load_class
from gunicorn.workers.gthread import ThreadWorker

from config import gunicorn_conf

PRINT = """
import os
before = dict(os.environ)
from config import gunicorn_conf
assert dict(os.environ) == before, "Importing the module changed the environment."
print(*gunicorn_conf.raw_env)
"""


def given_to_workers(**environment: str) -> dict[str, str]:
    """Return what gunicorn adds to the environment of its processes."""
    mine = {name: value for name, value in os.environ.items() if name != "PGOPTIONS"}
    command = [sys.executable, "-c", PRINT]
    ran = subprocess.run(
        command, env=mine | environment, check=True, capture_output=True, text=True
    )
    config = Config()
    config.set("raw_env", [ran.stdout.strip()])
    found: dict[str, str] = config.env
    return found


def test_postgresql_cancels_statements_and_ends_idle_transactions() -> None:
    assert given_to_workers() == {
        "PGOPTIONS": "-c statement_timeout=10s -c idle_in_transaction_session_timeout=30s"
    }


@pytest.mark.parametrize("options", ["", "-c statement_timeout=1s"])
def test_options_in_the_environment_take_their_place(options: str) -> None:
    assert given_to_workers(PGOPTIONS=options) == {"PGOPTIONS": options}


def test_connections_last_longer_than_those_of_proxies() -> None:
    assert gunicorn_conf.keepalive > 60
    # Only there an idle connection takes no thread.
    assert issubclass(load_class(gunicorn_conf.worker_class), ThreadWorker)
