"""Sound settings, and what the checks of the app report about them."""

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from tokens import keyring


def found() -> dict[str, CheckMessage]:
    messages = run_checks(include_deployment_checks=True)
    return {str(message.id): message for message in messages if "tokens." in str(message.id)}


@pytest.fixture(autouse=True)
def _sound(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "10/min"
    settings.TOKENS_COOKIE_SECURE = True
    keyring.ensure()
