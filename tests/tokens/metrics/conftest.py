from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from tokens import watching
from tokens.metrics import counting

from .site import TOKENS_METRICS_TOKEN as TOKEN

Samples = dict[str, float]


@pytest.fixture
def metrics(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count as a process does whose project has turned the metrics on, and serve them."""
    settings.TOKENS_METRICS = True
    settings.TOKENS_METRICS_TOKEN = TOKEN
    settings.ROOT_URLCONF = "tests.tokens.metrics.urls"
    monkeypatch.setattr(watching, "_listeners", [])
    monkeypatch.setattr(watching, "_watchers", {})
    monkeypatch.setattr(counting, "_pruning", counting._Pruning())
    counting.begin()


@pytest.fixture
def scrape(metrics: None) -> Callable[[], Samples]:
    """Return what the page of the metrics says, by name and labels."""

    def read() -> Samples:
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return samples(answer.content.decode())

    return read


def samples(page: str) -> Samples:
    """Return each of this app's samples as ``name{label}`` or ``name{label,label}``."""
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name.startswith("latchkey_") and not sample.name.endswith("_created"):
                labels = ",".join(sample.labels.values())
                found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def increases(before: Samples, after: Samples) -> Samples:
    """Return the counters that increased, and by how much."""
    return {
        name: after[name] - value
        for name, value in before.items()
        if "_timestamp_" not in name and after[name] != value
    }
