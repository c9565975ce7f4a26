"""The environment of a benchmark's processes."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment(database_url: str) -> dict[str, str]:
    """Return this process's environment with the benchmarks' settings and this database."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "PYTHONWARNINGS": "ignore",
    }
