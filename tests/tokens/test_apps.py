"""What the app does when Django starts."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig

from tokens.apps import _extend_admin


def test_a_project_without_autodiscovery_registers_its_own_admin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    discovered: list[None] = []
    simple = SimpleAdminConfig("django.contrib.admin", admin)
    monkeypatch.setitem(apps.app_configs, "admin", simple)
    monkeypatch.setattr(admin, "autodiscover", lambda: discovered.append(None))
    _extend_admin()
    assert discovered == []
