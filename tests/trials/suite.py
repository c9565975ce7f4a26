"""The trials of each group, and how many of each."""

from collections.abc import Callable, Iterator
from functools import partial

from tests.support.processes import running_site
from tests.trials import followers
from tests.trials.drivers import chromium, with_node
from tests.trials.families import RENDERING, TABS
from tests.trials.figures import Figures
from tests.trials.members import in_processes, in_threads
from tests.trials.pages import PAGES, run
from tests.trials.pages import TABS as TWO_TABS

WORKERS = 2
# For each trial of a page. Forty of them come with a thousand families and ten thousand refreshes.
FAMILIES, REFRESHES = 25, 250


def run_group(group: str, trials: int) -> Iterator[Figures]:
    """Run the trials of one group of ``tests.trials.GROUPS``, one after the other."""
    return _GROUPS[group](trials)


def _node(trials: int) -> Iterator[Figures]:
    with running_site(workers=WORKERS) as site:
        for shape in PAGES:
            yield run(site, "node", with_node, shape, trials=trials)


def _chromium(trials: int) -> Iterator[Figures]:
    with running_site(workers=WORKERS) as site, chromium() as open_pages:
        for shape in [*PAGES, TWO_TABS]:
            yield run(site, "chromium", open_pages, shape, trials=trials)


def _families(trials: int) -> Iterator[Figures]:
    half = FAMILIES * trials // 2
    for let_live in (partial(in_threads, TABS), in_processes):
        figures = let_live(range(half))
        figures.least = {"refreshes": REFRESHES * trials // 2, "thefts": half}
        yield figures


def _followers(trials: int) -> Iterator[Figures]:
    for place in followers.PLACES:
        yield followers.warned(place, range(trials))
    yield followers.ended(range(trials))


def _rendering(trials: int) -> Iterator[Figures]:
    yield in_threads(RENDERING, range(FAMILIES * trials // 2))


_GROUPS: dict[str, Callable[[int], Iterator[Figures]]] = {
    "node": _node,
    "chromium": _chromium,
    "families": _families,
    "followers": _followers,
    "rendering": _rendering,
}
