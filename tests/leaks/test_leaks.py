"""No report of an error holds a token, a password or a key. See ``stories``."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT, run_project
from tokens.api.cookies import ACCESS, REFRESH

from .doors import DOORS

pytestmark = pytest.mark.slow

BY_COOKIE = ["cookie refresh", "logout by cookie", "a view of the project by cookie"]
_DOORS = list(DOORS)
# Each group takes some ten seconds.
_GROUPS = [_DOORS[i::6] for i in range(6)]


def tell(sentry: str, doors: list[str]) -> dict[str, Any]:
    """Run the stories in a process of their own, because sentry-sdk changes Django for good."""
    done = run_project("tests.leaks", LEAKS=json.dumps([sentry, doors]))
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.leaks
@pytest.mark.parametrize("doors", _GROUPS, ids=lambda doors: doors[0])
def test_no_report_of_any_failure_at_any_door_holds_a_secret(doors: list[str]) -> None:
    outcome = tell("defaults", doors)
    assert outcome["findings"] == []
    # There was something to search.
    assert len(outcome["broken"]) > 20
    assert all(outcome["reports"][kind] >= len(doors) for kind in ("page", "mail", "sentry", "log"))


def test_a_leak_would_be_found() -> None:
    found = tell("defaults", ["a leak"])["findings"]
    assert {finding["report"] for finding in found} == {"page", "mail", "sentry", "log"}
    assert {finding["secret"] for finding in found} >= {"a refresh token", "the password"}


def test_told_to_send_everything_sentry_has_the_cookies_and_nothing_else() -> None:
    assert tell("everything", ["refresh", "logout", "admin's login"])["findings"] == []
    found = tell("everything", BY_COOKIE)["findings"]
    assert {finding["report"] for finding in found} == {"sentry"}
    assert {finding["secret"] for finding in found} == {"an access token", "a refresh token"}


def test_sentrys_data_collection_sends_no_secret() -> None:
    assert tell("collection", ["refresh", "logout", "admin's login", *BY_COOKIE])["findings"] == []


def test_the_documented_scrubber_removes_the_cookies() -> None:
    assert tell("with the scrubber", BY_COOKIE)["findings"] == []
    page = Path(ROOT, "docs/security.md").read_text()
    assert all(f'"__Host-{name}"' in page for name in (ACCESS, REFRESH))
