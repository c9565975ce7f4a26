"""The settings turn metrics and spans on; without them nothing is imported, and nothing is counted."""

import subprocess
import sys
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.processes import ROOT
from tokens import metrics as package
from tokens import watching

LIBRARIES = ("prometheus_client", "opentelemetry")


def imported(**settings: object) -> set[str]:
    """Return the libraries that a process has imported which has started with these settings."""
    code = f"""
import sys
import tests.projects.bare.settings as settings
vars(settings).update({settings!r})
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.bare.settings"
import django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
from tokens import watching
set_up = {{name for name in vars(sys.modules["tokens.metrics"]) if name in ("counting", "spans")}}
assert bool(set_up) == {bool(settings)}
print(*({{name.partition(".")[0] for name in sys.modules}} & {{*{LIBRARIES!r}}}))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.slow
def test_nothing_is_imported_by_default() -> None:
    assert imported() == set()


@pytest.mark.slow
def test_each_setting_imports_its_library_only() -> None:
    assert imported(TOKENS_METRICS=True) == {"prometheus_client"}
    assert imported(TOKENS_SPANS=True) == {"opentelemetry"}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_listeners", [])
    monkeypatch.setattr(watching, "_watchers", {})


def test_the_settings_turn_both_on(bare: None, settings: Any) -> None:
    package.set_up()
    assert not watching._listeners
    assert not watching._watchers
    settings.TOKENS_METRICS = settings.TOKENS_SPANS = True
    package.set_up()
    assert len(watching._listeners) == 1
    # An accepted request costs nothing but the span.
    assert {verb: len(by) for verb, by in watching._watchers.items()} == {
        "refresh": 2,
        "authenticate": 1,
        "sign_in": 1,
        "check_password": 1,
    }


@pytest.mark.parametrize(
    ("setting", "module", "distribution"),
    [
        ("TOKENS_METRICS", "counting", "prometheus-client"),
        ("TOKENS_SPANS", "spans", "opentelemetry-api"),
    ],
)
def test_a_missing_library_is_named(
    bare: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    module: str,
    distribution: str,
) -> None:
    setattr(settings, setting, True)
    monkeypatch.setitem(sys.modules, f"tokens.metrics.{module}", None)
    with pytest.raises(ImproperlyConfigured, match=f"{setting} is True, and {distribution} cannot"):
        package.set_up()
