"""Two workers of gunicorn export what both have counted."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PASSWORD
from tests.support.processes import PATIENCE, RunningSite, running_site

from .conftest import Samples, samples
from .site import TOKENS_METRICS_TOKEN as TOKEN

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def scrape(site: RunningSite) -> Samples:
    answer = site.ask("/metrics", raw_access=TOKEN)
    assert answer.status == 200
    return samples(answer.body.decode())


def pids(folder: Path, pattern: str) -> set[int]:
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob(pattern)}


def test_two_workers_are_exported_as_one(user: Any, tmp_path: Path) -> None:
    stale = tmp_path / "counter_1.db"
    stale.write_bytes(b"of an earlier run")
    with running_site(
        workers=2,
        DJANGO_SETTINGS_MODULE="tests.tokens.metrics.site",
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path),
    ) as site:
        assert not stale.exists()
        assert scrape(site)["latchkey_sign_ins_total{ok}"] == 0
        _, pair = site.post("/api/token/", username="ada", password=PASSWORD)
        signed_in, deadline = 1, time.monotonic() + PATIENCE
        # Each worker has read its snapshot, and each has counted.
        while len(pids(tmp_path, "gauge_livemin_*.db")) < 2:
            assert time.monotonic() < deadline
            assert site.get("/api/token/check/", pair["access"])[0] == 204
            site.post("/api/token/", username="ada", password=PASSWORD)
            site.get("/api/token/check/", "junk")
            signed_in += 1
        found = scrape(site)
        assert found["latchkey_sign_ins_total{ok}"] == signed_in
        assert found["latchkey_refusals_total{request,Malformed}"] == signed_in - 1
        assert time.time() - found["latchkey_snapshot_timestamp_seconds"] < PATIENCE
        # A gauge is one sample, whichever worker answers.
        assert found["latchkey_signing_key_timestamp_seconds"] <= time.time()

        killed = site.workers()[0]
        os.kill(killed, signal.SIGKILL)
        while killed in pids(tmp_path, "gauge_livemin_*.db"):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # What it has counted stays.
        assert killed in pids(tmp_path, "counter_*.db")
        assert scrape(site)["latchkey_sign_ins_total{ok}"] == signed_in
