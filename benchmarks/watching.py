"""
``python -m benchmarks.watching``: what metrics and spans cost a request, off and on.

Prints nanoseconds for one run of a verb with nothing in it, and for one event: the cheapest of many
rounds each, less an empty loop. Needs no database.
"""

import os
import timeit
from collections.abc import Callable

import django

# Short rounds, so that many of them are interrupted by no other process.
REPEATS = 1000
NUMBER = 100


def nanoseconds(call: Callable[[], object]) -> float:
    """Return what ``call`` takes, less what a call of an empty function takes."""

    def empty() -> None: ...

    def least(each: Callable[[], object]) -> float:
        return min(timeit.repeat(each, repeat=REPEATS, number=NUMBER)) / NUMBER * 1e9

    return least(call) - least(empty)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tokens import watching

    fields = {"reason": "Malformed", "detail": None}

    def verb() -> None:
        with watching.watched("authenticate"):
            pass

    def refresh() -> None:
        with watching.watched("refresh") as watched:
            watched.outcome = "rotated"

    def event() -> None:
        watching.tell("token_refused", fields)

    figures = {
        "authenticate: both off": nanoseconds(verb),
        "an event: metrics off": nanoseconds(event),
    }
    from tokens.metrics import counting, spans

    counting.begin()
    figures |= {
        "authenticate: metrics on": nanoseconds(verb),
        "refresh: metrics on": nanoseconds(refresh),
        "an event: metrics on": nanoseconds(event),
    }
    spans.begin()
    figures["authenticate: spans on, no provider"] = nanoseconds(verb)

    from opentelemetry.sdk.trace import TracerProvider

    spans._tracer = TracerProvider().get_tracer("latchkey")
    figures["authenticate: spans on, the SDK, no exporter"] = nanoseconds(verb)
    for name, figure in figures.items():
        print(f"{name:46} {figure:8.0f} ns")


if __name__ == "__main__":
    main()
