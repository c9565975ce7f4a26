"""The tests of a project with Django's own test cases, which pytest and ``manage.py test`` run."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.test import TestCase, TransactionTestCase
from rest_framework.test import APITestCase

from tokens.models import SigningKey
from tokens.testing import TokensTestMixin, freeze


class Story(TokensTestMixin):
    """What each kind of test case does."""

    user: Any

    def setUp(self) -> None:  # Without super().setUp(), as many projects have it.
        self.user = get_user_model().objects.create_user("ada", "ada@example.org", "a password")

    def test_first(self) -> None:
        self.client.sign_in(self.user)
        assert self.client.get("/reports/").status_code == 200
        self.client.revoke()
        assert self.client.get("/reports/").status_code == 401

    def test_second(self) -> None:
        other = self.sign_in(self.user)
        self.client.sign_in_by_cookie(self.user)
        clock = self.freeze()
        assert self.client.post("/reports/").status_code == 200
        clock.shift(timedelta(minutes=6))
        assert other.get("/reports/").status_code == 401
        other.refresh()
        assert other.get("/reports/").status_code == 200

    def test_third(self) -> None:
        self.client.sign_in(self.user)
        kid = self.client.pair.session.kid
        assert SigningKey.objects.filter(kid=kid).exists()
        with freeze() as clock:
            clock.shift(timedelta(days=15))
            assert self.client.get("/reports/").status_code == 401


class InTransactionTests(Story, TestCase):
    pass


class APITests(Story, APITestCase):  # type: ignore[misc]  # Its client is DRF's own.
    pass


# These flush the database. They run in the order of their names: Django can restore a database only
# before post_migrate has filled an empty one.


class Flushing1Tests(Story, TransactionTestCase):
    serialized_rollback = True


class Flushing2Tests(Story, TransactionTestCase):
    """Begins with the database that the tests before have left empty."""


class Flushing3Tests(Story, TransactionTestCase):
    available_apps = [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "tokens",
    ]


del Story  # So that it is not collected by itself.
