"""The project with metrics, in snapshot mode."""

from tests.settings import *  # noqa: F403

TOKENS_METRICS = True
TOKENS_METRICS_TOKEN = "a-token-of-prometheus-that-is-long-enough-0123456789"
TOKENS_DENYLIST_MODE = "snapshot"
ROOT_URLCONF = "tests.tokens.metrics.urls"
