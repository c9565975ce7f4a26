"""The page that Prometheus reads."""

import os

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from rest_framework.exceptions import AuthenticationFailed

from ..api.http import bearer, forbid_storing
from ..conf import conf


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics of prometheus_client's default registry. It runs no query."""
    if not conf.TOKENS_METRICS:
        response = _text("TOKENS_METRICS is False.\n", status=404)
    elif not _may_read(request):
        response = _text("The bearer credential is not TOKENS_METRICS_TOKEN.\n", status=401)
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
    else:
        response = _all_metrics(request.headers.get("Accept", ""))
    forbid_storing(response)
    return response


def _may_read(request: HttpRequest) -> bool:
    token = conf.TOKENS_METRICS_TOKEN
    if token is None:
        return True
    try:
        credential = bearer(request)
    except AuthenticationFailed:
        return False
    # An empty token admits no request.
    return bool(token and credential and constant_time_compare(credential.reveal(), token))


def _all_metrics(accept: str) -> HttpResponse:
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # of a version that is no number
        encode, content_type = choose_encoder("")
    return HttpResponse(encode(registry), content_type=content_type)


def _text(text: str, *, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
