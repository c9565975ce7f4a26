"""Let the default manager of the user model hide users, as for soft deletion."""

from typing import Any

import pytest
from django.contrib.auth.models import UserManager

from tokens import compiled_sql


def hide_users(monkeypatch: pytest.MonkeyPatch, **matching: Any) -> None:
    """Hide the users that match these look-ups, and forget the SQL that still finds them."""
    get_queryset = UserManager.get_queryset
    monkeypatch.setattr(
        UserManager, "get_queryset", lambda self: get_queryset(self).exclude(**matching)
    )
    monkeypatch.setattr(compiled_sql, "_cache", compiled_sql._ThreadCache())
