"""Let sessions and tokens end on one site, in a process of its own, and time who refuses them when."""

import os
import random
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, TypeVar
from uuid import uuid4

R = TypeVar("R")
Times = dict[str, dict[str, list[float]]]
AT_ONCE = {"uvicorn": 2, "gunicorn": 8}  # Fewer than the connections of one process.


def run_ends(server: str, ends: int) -> Times:
    return _with_django(lambda: measure(server, ends))


def run_disasters(server: str) -> dict[str, dict[str, str]]:
    def suffer() -> dict[str, dict[str, str]]:
        from tests.reach import disasters

        return disasters.suffer(server)

    return _with_django(suffer)


def _with_django(work: Callable[[], R]) -> R:
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0)
    connections.close_all()
    try:
        return work()
    except Exception:  # Not every exception passes to another process.
        raise RuntimeError(traceback.format_exc()) from None


def measure(server: str, ends: int) -> Times:
    """Return how long each watcher took, by the way to end and the watcher."""
    from django.db import connections

    from tests.reach import ends as ways
    from tests.reach import watchers
    from tests.support.processes import site_under

    changes = {"DATABASE_URL": os.environ["DATABASE_URL"], "WEB_CONCURRENCY": "2"}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="latchkey-reach-")))
        site = stack.enter_context(site_under(server, changes))
        watching: dict[str, Any] = {
            "Python": stack.enter_context(watchers.python_service(site.base)),
            "Node": stack.enter_context(watchers.node_service(site.base)),
            "gateway": stack.enter_context(watchers.gateway(site.base, folder)),
        }

        def one(way: str) -> dict[str, float]:
            name = uuid4().hex
            story = ways.Story(site, name)
            token = story.token
            try:
                return told(way, name, story, token)
            finally:
                connections.close_all()  # This thread's, which ends with the way.

        def told(way: str, name: str, story: Any, token: str) -> dict[str, float]:
            if prepare := ways.PREPARED.get(way):
                prepare(story)
            for watcher in watching.values():
                watcher.watch(name, token)
            time.sleep(random.random())  # At any time between two polls.
            ways.ENDS[way](story)
            ended = time.time()
            # The gateway is asked now; the services note by themselves when they refuse.
            asked = sorted(watching.items(), key=lambda each: each[0] != "gateway")
            found = {who: watcher.refused(name, token) for who, watcher in asked}
            return {who: max(found[who] - ended, 0.0) for who in watching}

        times: Times = {}
        for way in ways.ENDS:
            at_once = 1 if way in ways.ONE_AT_A_TIME else AT_ONCE[server]
            with ThreadPoolExecutor(at_once) as pool:
                results = list(pool.map(one, [way] * ends))
            times[way] = {who: [each[who] for each in results] for who in watching}
            shown = "  ".join(f"{who} {figure(took)}" for who, took in times[way].items())
            print(f"{server:9} {way:20} {shown}", flush=True)
        return times


def figure(took: list[float]) -> str:
    return f"{median(took) * 1000:.0f} / {max(took) * 1000:.0f}"
