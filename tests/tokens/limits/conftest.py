from typing import Any

import pytest
from django.db import connection

from tests.tokens.limits import attempts

# DRF rolls back the transaction of a view, which would be that of a test in one.
IN_A_TRANSACTION = pytest.param(
    True, id="ATOMIC_REQUESTS", marks=pytest.mark.django_db(transaction=True)
)


@pytest.fixture(params=[pytest.param(False, id="autocommit"), IN_A_TRANSACTION])
def _atomic_or_not(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run each test without and with a transaction around every view."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", request.param)


@pytest.fixture
def _counted(settings: Any) -> None:
    """Let each account be tried three times an hour, and count the passwords that are checked."""
    settings.PASSWORD_HASHERS = [f"{attempts.__name__}.Counting"]
    settings.TOKENS_LOGIN_THROTTLE, settings.TOKENS_ACCOUNT_THROTTLE = "100/hour", "3/hour"
    attempts.checked.clear()
