"""The mixin for test cases, and what each test begins with."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import TestCase

from tokens import sessions, testing
from tokens.database import background
from tokens.sessions import authentication, seen
from tokens.testing import TokensTestMixin, fresh_process


class MixinTests(TokensTestMixin, TestCase):
    user: Any

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = get_user_model().objects.create_user("ada", "ada@example.org")

    def test_the_client_signs_in_and_another_one_too(self) -> None:
        self.client.sign_in(self.user)
        other = self.sign_in(self.user, claims={"tenant": "blue"})
        self.client.revoke()
        assert self.client.get("/api/me/").status_code == 401
        assert other.get("/api/me/").status_code == 200

    def test_the_clock_is_frozen_until_the_test_ends(self) -> None:
        clock = self.freeze()
        self.client.sign_in(self.user)
        clock.shift(timedelta(minutes=6))
        assert self.client.get("/api/me/").status_code == 401


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        testing.no_such_name  # noqa: B018
    assert all(getattr(testing, name) for name in testing.__all__)


def test_a_process_without_snapshot_mode_has_no_shortcut() -> None:
    former = sessions.set_shortcut(None)
    try:
        with fresh_process():
            assert authentication._shortcut is None
    finally:
        sessions.set_shortcut(former)


def test_what_was_there_before_a_test_is_there_again_afterwards() -> None:
    former = authentication._shortcut, background._are_allowed
    with fresh_process():
        assert not seen._notes.may_have_thread()
    assert (authentication._shortcut, background._are_allowed) == former
