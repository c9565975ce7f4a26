"""The admin works with any user model, in whatever order the apps are listed."""

import json

import pytest

from tests.support.processes import run_project


@pytest.mark.slow
def test_django_s_own_users_in_a_project_that_lists_tokens_first() -> None:
    done = run_project("tests.projects.tokens_first")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "support": [
            "deny_token",
            "revoke_session",
            "view_deniedtoken",
            "view_session",
            "view_user",
        ],
        "found": [1, 1, 0, 0, 0],
        "of_user": 1,
        "index": True,
        "user": True,
        "signed_out": 302,
        "live": 0,
    }
