"""Let the default manager of the user model hide users, as for soft deletion."""

from typing import Any

import pytest
from django.contrib.auth.models import UserManager


def hide_users(monkeypatch: pytest.MonkeyPatch, **matching: Any) -> None:
    """Hide the users that match these look-ups."""
    get_queryset = UserManager.get_queryset
    monkeypatch.setattr(
        UserManager, "get_queryset", lambda self: get_queryset(self).exclude(**matching)
    )
