"""
The limit on sign-ins holds at the views of other packages, and of a project, as at this app's own.

Each test reads what one process of ``tests/projects/doors`` reports, with ATOMIC_REQUESTS and
without.
"""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tests.projects.doors.doors import DOORS, FAILING
from tests.support.once import once_per_run
from tests.support.processes import run_project

pytestmark = pytest.mark.slow

HOME = "192.0.2.1"
STOPPED = {
    "checked": 10,
    "answered as wrong": 10,
    "answered 429": 30,
    "without Retry-After": 0,
    "then a right one": 429,
}


@pytest.fixture(scope="module", params=["no", "yes"], ids=["autocommit", "ATOMIC_REQUESTS"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    database = str(tmp_path_factory.mktemp("doors") / "test.sqlite3")
    if connection.vendor == "postgresql":
        database = f"doors_{uuid4().hex[:8]}"

    def report() -> str:
        done = run_project(
            "tests.projects.doors", ATOMIC_REQUESTS=request.param, TEST_DATABASE=database
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]

    return json.loads(once_per_run(tmp_path_factory, f"doors-{request.param}", report))


@pytest.mark.parametrize("door", DOORS)
def test_guessing_at_one_account_from_many_addresses_is_stopped(told: Any, door: str) -> None:
    expected = {**STOPPED, "checked": STOPPED["checked"] + DOORS[door].reserved}
    assert told["one account"][door] == expected


@pytest.mark.parametrize("door", DOORS)
def test_guessing_at_many_accounts_from_one_address_is_stopped(told: Any, door: str) -> None:
    assert told["one address"][door] == STOPPED


@pytest.mark.parametrize("story", ["one account", "one address"])
def test_changing_between_views_gains_no_attempt(told: Any, story: str) -> None:
    assert told["in turn"][story] == STOPPED


def test_an_accounts_username_and_email_address_are_counted_apart(told: Any) -> None:
    """One count for both would tell a stranger that they are names of one account."""
    assert 10 < told["in turn"]["one account by two names"]["checked"] <= 20


@pytest.mark.parametrize("door", DOORS)
def test_forty_right_passwords_are_let_in(told: Any, door: str) -> None:
    assert told["right passwords"][door]["let in"] == 40


@pytest.mark.parametrize("door", [name for name, door in DOORS.items() if door.logs_in_by])
def test_a_session_stays_signed_in_where_the_limit_is_taken_out(told: Any, door: str) -> None:
    """A session of Django ends when its backend is no longer among AUTHENTICATION_BACKENDS."""
    found = told["right passwords"][door]
    assert found["backend"] == DOORS[door].logs_in_by
    assert found["signed in without the backend of the limit"] == "ada"


@pytest.mark.parametrize("door", DOORS)
def test_an_attempt_counts_once_however_many_backends_are_asked(told: Any, door: str) -> None:
    assert told["costs"][door]["wrong"] == {
        "login account": 1.0,
        f"login {HOME}": 1.0,
        "login 192.0.2.0/24": 0.2,  # which may have five times as many
        "login site": 0.01,
    }


@pytest.mark.parametrize("door", DOORS)
def test_a_right_password_costs_the_network_a_tenth(told: Any, door: str) -> None:
    assert told["costs"][door]["right"] == {"login account": 0.0, f"login {HOME}": 0.1}


@pytest.mark.parametrize("story", ["one account", "one address"])
@pytest.mark.parametrize("door", FAILING)
def test_attempts_count_where_the_view_fails_and_its_transaction_is_rolled_back(
    told: Any, door: str, story: str
) -> None:
    found = told[story][door]
    assert found["checked"] == 10
    assert found["without Retry-After"] == 0


@pytest.mark.parametrize("door", DOORS)
def test_without_the_middleware_a_view_answers_as_to_a_wrong_password(told: Any, door: str) -> None:
    found = told["one account, no middleware"][door]
    if DOORS[door].of_this_app:
        assert found == STOPPED
        return
    assert found == {
        "checked": 10 + DOORS[door].reserved,
        "answered as wrong": 40,
        "answered 429": 0,
        "without Retry-After": 0,
        "then a right one": DOORS[door].wrong,
    }
