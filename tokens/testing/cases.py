"""For test cases of unittest and Django."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from unittest import TestResult

from .client import TokenClient
from .frozen import FrozenClock, freeze
from .process import fresh_process

if TYPE_CHECKING:
    from django.test import SimpleTestCase

    _Base = SimpleTestCase
else:
    _Base = object


class TokensTestMixin(_Base):
    """
    Lets ``self.client`` be a TokenClient, and each test begin like a new process.

    Name it before Django's class: ``class ReportTests(TokensTestMixin, TestCase)``.
    """

    client_class = TokenClient
    client: TokenClient

    def run(self, result: TestResult | None = None) -> TestResult | None:
        # Not setUp(), which a test case may override without a call of this one.
        with fresh_process():
            return super().run(result)

    def sign_in(self, user: Any, **how: Any) -> TokenClient:
        """Return another client, signed in as this user; see ``TokenClient.sign_in``."""
        client = TokenClient()
        client.sign_in(user, **how)
        return client

    def freeze(self, at: datetime | None = None) -> FrozenClock:
        """Freeze the app's clock until the test ends; see ``frozen.freeze``."""
        return self.enterContext(freeze(at))
