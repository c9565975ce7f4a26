"""
Metrics for Prometheus, and spans for OpenTelemetry. Both are off by default.

    counting    the metrics, and what moves each of them
    spans       one span for each run of a verb
    views       the page that Prometheus reads; ``urls`` has its route
    checks      who may read the page

This package can be deleted. No other package imports it; ``set_up`` registers it. The libraries are
imported only where a setting turns them on. May import api and what is below it.
"""

from importlib import import_module

from django.core.checks import Tags, register
from django.core.exceptions import ImproperlyConfigured

from ..conf import conf
from .checks import check_open_page, check_weak_token

__all__ = ["set_up"]


def set_up() -> None:
    """Begin to count and to trace, as the settings say now: later changes have no effect."""
    register(check_weak_token, Tags.security)
    register(check_open_page, Tags.security, deploy=True)
    if conf.TOKENS_METRICS:
        _begin("counting", setting="TOKENS_METRICS", distribution="prometheus-client")
    if conf.TOKENS_SPANS:
        _begin("spans", setting="TOKENS_SPANS", distribution="opentelemetry-api")


def _begin(module: str, *, setting: str, distribution: str) -> None:
    try:
        import_module(f".{module}", __name__).begin()
    except ImportError as error:
        raise ImproperlyConfigured(
            f"{setting} is True, and {distribution} cannot be imported ({error}). Install it, or "
            f"set {setting} to False."
        ) from None
