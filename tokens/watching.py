"""
Where optional packages, such as metrics, watch what happens. Nothing is done unless one does.

    tell       something happened: an event of the log, or a reading of this process's copies
    watched    one run of a verb, from its beginning to its end

A watcher neither changes nor stops what it watches: its errors are logged.
"""

from collections.abc import Callable, Mapping, Sequence
from logging import getLogger
from types import TracebackType
from typing import Any, Self

logger = getLogger("tokens")

Listener = Callable[[str, Mapping[str, Any]], None]
# Is called when a verb begins, and returns what is called with its outcome and its error.
Finish = Callable[[str, BaseException | None], None]
Watcher = Callable[[str], Finish]

_listeners: list[Listener] = []
_watchers: dict[str, list[Watcher]] = {}


def listen(listener: Listener) -> None:
    """Call ``listener`` with the name and the fields of everything that is told, once for each."""
    # Django starts all apps again where a test replaces INSTALLED_APPS.
    if listener not in _listeners:
        _listeners.append(listener)


def watch(verb: str, watcher: Watcher) -> None:
    """Call ``watcher`` each time that a verb begins."""
    _watchers.setdefault(verb, []).append(watcher)


def tell(event: str, fields: Mapping[str, Any]) -> None:
    """Tell the listeners. Fields may hold what must not leave the process, such as a name."""
    for listener in _listeners:
        try:
            listener(event, fields)
        except Exception:
            logger.exception("a listener failed")


class Watched:
    """One run of a verb, which sets ``outcome`` before its end. Here nothing watches it."""

    outcome = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None


class _ByWatchers(Watched):
    def __init__(self, verb: str, watchers: Sequence[Watcher]) -> None:
        self._verb, self._watchers = verb, watchers

    def __enter__(self) -> Self:
        self._finishes: list[Finish] = []
        for watcher in self._watchers:
            try:
                self._finishes.append(watcher(self._verb))
            except Exception:
                logger.exception("a watcher failed")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for finish in reversed(self._finishes):
            try:
                finish(self.outcome, error)
            except Exception:
                logger.exception("a watcher failed")


_unwatched = Watched()  # One for all threads: nothing reads its outcome.


def watched(verb: str) -> Watched:
    """Return the context in which a verb runs."""
    watchers = _watchers.get(verb)
    return _ByWatchers(verb, watchers) if watchers else _unwatched
