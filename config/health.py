"""``/healthz``: the process is up. ``/readyz``: the database, key ring and cache answer."""

import logging
from collections.abc import Callable
from uuid import uuid4

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from tokens import keyring

logger = logging.getLogger(__name__)


@csrf_exempt
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@csrf_exempt
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the database, key ring and cache answer, else 503. The log has the reason."""
    parts: dict[str, Callable[[], object]] = {
        "database": _ask_database,
        "key_ring": keyring.check,
        "cache": _ask_cache,
    }
    states = {name: _state(name, ask) for name, ask in parts.items()}
    ready = set(states.values()) == {"ok"}
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", **states}, status=200 if ready else 503
    )


def _state(name: str, ask: Callable[[], object]) -> str:
    try:
        ask()
    except Exception:
        # Any error means not ready. The caller is anonymous, so only the log has the details.
        logger.exception("not ready: %s", name)
        return "unavailable"
    return "ok"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    value = uuid4().hex
    cache.set("readyz", value, timeout=10)
    if cache.get("readyz") is None:
        raise ConnectionError("the cache did not return the value just set")
