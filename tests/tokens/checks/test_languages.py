from typing import Any

import pytest

from tests.tokens.checks.conftest import found

pytestmark = pytest.mark.django_db


def test_a_language_function_that_cannot_be_called_is_a_warning(settings: Any) -> None:
    settings.TOKENS_USER_LANGUAGE = f"{__name__}.pytest"
    warning = found()["tokens.W068"]
    assert "it cannot be called. Mail to users is in LANGUAGE_CODE." in str(warning)


def test_a_language_function_is_sound(settings: Any) -> None:
    settings.TOKENS_USER_LANGUAGE = f"{__name__}.found"
    assert found() == {}
