"""With a router that reads from a replica, tokens, sessions and users come from the primary."""

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import models, router
from django.test.utils import isolate_apps

from tests.projects.replica.router import ReplicaRouter
from tests.support.processes import run_project
from tokens.checks.values import check_denylist_mode
from tokens.feed.models import Epoch, FeedReader
from tokens.models import DailyCount, DeniedToken, Session, SigningKey, ThrottleCount
from tokens.routers import PrimaryRouter
from tokens.status_list.models import Block, RefusedIndex
from tokens.tickets.models import Ticket

pytestmark = pytest.mark.slow

REPLICA, PRIMARY = "tests.projects.replica.router.ReplicaRouter", "tokens.routers.PrimaryRouter"


def story(*routers: str) -> dict[str, Any]:
    run = run_project("tests.projects.replica", ROUTERS=",".join(routers))
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


def test_a_replica_that_is_behind_changes_no_answer() -> None:
    told = story(PRIMARY, REPLICA)
    assert told["answers"] == {
        "a request right after the sign-in": 200,
        "a refresh right after the sign-in": 200,
        "a request later": 200,
        "a request after it was revoked": 401,
        "a sign-in with the former password": 401,
        "a sign-in with the new password": 200,
    }
    assert told["others"] == "replica"


def test_without_the_router_a_replica_changes_answers() -> None:
    """Shows that the test above can detect a read from the replica."""
    assert story(REPLICA)["answers"] == {
        "a request right after the sign-in": 401,
        "a refresh right after the sign-in": 401,
        "a request later": 200,
        "a request after it was revoked": 200,
        "a sign-in with the former password": 401,  # The lock reads where users are written.
        "a sign-in with the new password": 401,
    }


@pytest.fixture
def _routers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "routers", [PrimaryRouter(), ReplicaRouter()])


@pytest.mark.usefixtures("_routers")
@pytest.mark.parametrize(
    ("model", "alias"),
    [
        *((model, "default") for model in (Session, DeniedToken, SigningKey, ThrottleCount)),
        *(
            (model, "default")
            for model in (DailyCount, Epoch, FeedReader, Block, RefusedIndex, Ticket)
        ),
        (get_user_model(), "default"),
        (Group, "replica"),
    ],
)
def test_what_is_read_where(model: type[models.Model], alias: str) -> None:
    assert router.db_for_read(model) == alias


@pytest.mark.usefixtures("_routers")
def test_a_proxy_of_the_user_model_is_read_where_users_are() -> None:
    with isolate_apps("accounts"):

        class Proxy(get_user_model()):  # type: ignore[misc]
            class Meta:
                proxy = True
                app_label = "accounts"

    assert router.db_for_read(Proxy) == "default"


@pytest.mark.usefixtures("_routers")
def test_the_check_has_nothing_to_say_of_it() -> None:
    assert check_denylist_mode() == []
