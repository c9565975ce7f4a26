"""
Parallel calls of pages without a lock, over HTTP: none of their sessions may end.

A page is opened with an expired access token. At its end a call and a refresh with what its store
has kept must be answered, and a refresh ten minutes later. Then a token from before is a reuse.
"""

from dataclasses import dataclass

from tests.support.processes import Site
from tests.trials.drivers import PAUSES, Load, Met, Open
from tests.trials.figures import Figures
from tests.trials.opened import Opened, age, ended, open_session, repeats

CALLS = (6, 8, 20, 50)


@dataclass(frozen=True)
class Shape:
    """How many tabs make how many calls, and how often within one session."""

    calls: int
    tabs: int = 1
    rounds: int = 1

    def __str__(self) -> str:
        return f"{self.tabs} tab{'s' * (self.tabs > 1)}, {self.calls} calls each"


PAGES = [Shape(calls) for calls in CALLS]
TABS = Shape(calls=10, tabs=2, rounds=3)


def run(site: Site, client: str, open_pages: Open, shape: Shape, *, trials: int) -> Figures:
    figures = Figures(str(shape), client, least={"repeats": trials})
    opened = [open_session(rotated=bool(number % 2)) for number in range(trials)]
    kept = opened
    for number in range(shape.rounds):
        if number:
            _wait(figures, opened)
        kept = _open(figures, site, open_pages, shape, kept)
    figures.count("repeats", repeats(opened))
    figures.wrong["sessions ended"] = ended(opened)
    _continue(figures, site, kept)
    _replay(figures, site, opened)
    return figures


def _open(
    figures: Figures, site: Site, open_pages: Open, shape: Shape, stores: list[Opened]
) -> list[Opened]:
    """Open a page on each store; return the stores with the refresh tokens that they have kept."""
    loads = [
        Load(store, shape.calls, shape.tabs, longest=PAUSES[number % len(PAUSES)])
        for number, store in enumerate(stores)
    ]
    kept = []
    for store, met in zip(stores, open_pages(site.base, loads), strict=True):
        _judge(figures, store, met)
        # The access token that has expired again, so that the next round begins as this one did.
        kept.append(Opened(store.sid, store.access, met.kept))
    return kept


def _judge(figures: Figures, store: Opened, met: Met) -> None:
    figures.count("pages")
    figures.count("calls", len(met.calls))
    figures.count("refreshes", len(met.refreshes))
    figures.count("pages that sent a newer token too", len(met.sent) > 1)
    figures.expect(not met.errors, "pages without an answer", f"{store.sid} {met.errors}")
    end = (met.call_at_the_end, met.refresh_at_the_end)
    answers = {*met.refreshes, *met.calls_again, *end}
    figures.expect(answers == {200}, "pages refused", f"{store.sid} {sorted(answers)}")


def _wait(figures: Figures, opened: list[Opened]) -> None:
    unused = age(opened)
    # The pair that a page has kept is the current one, and the page has called with it.
    figures.expect(not unused, "pages with an older pair", f"{unused} of {len(opened)}")


def _continue(figures: Figures, site: Site, kept: list[Opened]) -> None:
    _wait(figures, kept)
    for one in kept:
        status, body = site.post("/api/token/refresh/", refresh=one.refresh)
        figures.expect(status == 200, "dead ten minutes later", f"{one.sid} {body}")


def _replay(figures: Figures, site: Site, opened: list[Opened]) -> None:
    """Show that these sessions could end: each does, by the refresh token that it was opened with."""
    for one in opened:
        status, _ = site.post("/api/token/refresh/", refresh=one.refresh)
        figures.expect(status == 401, "replays answered", str(one.sid))
    figures.expect(ended(opened) == len(opened), "replays without an end", "of all")
