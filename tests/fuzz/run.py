"""Send many requests from several threads, and collect what was wrong."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import SEEK_END
from pathlib import Path

from .exchange import exchange
from .promises import broken_by, broken_by_log
from .requests import Tokens, make

THREADS = 4
BATCH = 250  # requests between two looks at the log, and between two sign-ins
MOST_WRONGS = 30
SEED = 20261129
DOCUMENT = b"GET /api/schema/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
WARM_UPS = 10  # enough to reach each worker


@dataclass
class Findings:
    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)

    def line(self) -> str:
        statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(self.statuses.items()))
        return f"{self.requests:,} requests in {self.seconds:.0f} s; {statuses}"


def fuzz(
    port: int,
    log: Path,
    sign_in: Callable[[], Tokens],
    *,
    count: int,
    first: int = 0,
    seed: int = SEED,
) -> Findings:
    """Send the requests with these numbers, and stop early if very much is wrong."""
    # drf-spectacular imports the packages that it knows with its first document, and answers 500 to two
    # at once where django-allauth is installed and no app, as it is for the tests.
    for _ in range(WARM_UPS):
        exchange(port, DOCUMENT, method="GET", is_whole=True)
    findings, started = Findings(), time.monotonic()

    def one(number: int) -> tuple[int, list[str]]:
        sent = make(seed, number, tokens)
        answer = exchange(port, sent.raw, method=sent.method, is_whole=sent.is_whole)
        wrongs = [
            f"{wrong} (seed {seed}, request {number}): {sent.raw[:2000]!r} -> {answer!r:.800}"
            for wrong in broken_by(sent, answer)
        ]
        return answer.status, wrongs

    with ThreadPoolExecutor(THREADS) as pool, log.open("rb") as printed:
        printed.seek(0, SEEK_END)  # Servers say what they like while they start.
        for at in range(first, first + count, BATCH):
            tokens = sign_in()
            batch = range(at, min(at + BATCH, first + count))
            for status, wrongs in pool.map(one, batch):
                findings.statuses[status] += 1
                findings.wrongs += wrongs
            findings.requests += len(batch)
            text = printed.read().decode("utf-8", "replace")
            findings.wrongs += [f"{wrong} (before {batch[-1]})" for wrong in broken_by_log(text)]
            if len(findings.wrongs) > MOST_WRONGS:
                break
    findings.seconds = time.monotonic() - started
    return findings
