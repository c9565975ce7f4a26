"""
``make soak``: mixed traffic while workers are killed and keys rotate, checked against a ledger.

It uses a temporary database, on the server of DATABASE_URL or in a temporary folder. It exits with
1 if a live token was refused, a dead one accepted, a session lost, or memory grew.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import tests.settings  # noqa: F401  # Sets the environment before the site reads it.
from tests.soak.ledger import Ledger
from tests.soak.people import PASSWORD, Person
from tests.support.processes import ROOT, RunningSite, running_site
from tests.support.services import temporary_database

WORKERS = 4
PEOPLE = 8
ALGORITHMS = ("HS256", "ES256", "EdDSA", "RS256")
# A process may cache what it has seen, but may not grow with the number of requests.
MAY_GROW = 1.15


def main() -> None:
    minutes = _arguments().minutes
    ledger = Ledger()
    with temporary_database(os.environ["DATABASE_URL"]) as database_url:
        os.environ["DATABASE_URL"] = database_url
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.soak.settings"
        manage("migrate", "-v0")
        for number in range(PEOPLE):
            make_user(f"soak-{number}")
        with running_site(workers=WORKERS, DATABASE_URL=database_url) as site:
            people = [Person(site, ledger, f"soak-{n}", seed=n) for n in range(PEOPLE)]
            memory = shake(site, ledger, people, seconds=minutes * 60)
            settle(ledger, people)
    early, late = memory
    ledger.expect(late <= early * MAY_GROW, f"a worker grew from {early:,} kB to {late:,} kB")
    print(f"\n{ledger.line()}")
    print(f"memory of a worker that lived through it: {early:,} kB, then {late:,} kB")
    for wrong in ledger.wrongs[:20]:
        print(f"WRONG  {wrong}")
    sys.exit(bool(ledger.wrongs))


def shake(
    site: RunningSite, ledger: Ledger, people: list[Person], *, seconds: float
) -> tuple[int, int]:
    """Run the traffic for ``seconds``; return a spared worker's memory in kB, early and late."""
    stop = Event()
    spared = site.workers()[0]
    ends = time.monotonic() + seconds
    with ThreadPoolExecutor(len(people) + 3) as pool:
        running: list[Future[None]] = [pool.submit(person.live, stop) for person in people]
        running.append(pool.submit(every, 4, stop, lambda: kill_a_worker(site, ledger, spared)))
        running.append(pool.submit(every, 10, stop, lambda: rotate(ledger)))
        running.append(pool.submit(every, 15, stop, lambda: prune(ledger)))
        early = 0
        while (left := ends - time.monotonic()) > 0 and not any(one.done() for one in running):
            if not early and left < seconds * 0.7:
                early = resident(spared)
            print(f"{seconds - left:5.0f} s  {ledger.line()}", flush=True)
            time.sleep(min(5, left))
        late = resident(spared)
        stop.set()
        for one in running:
            one.result(timeout=60)
    return early, late


def settle(ledger: Ledger, people: list[Person]) -> None:
    """Check again without load: every live session continues, and every dead one stays dead."""
    for person in people:
        person.refresh()
        person.call()
    asker = people[0]
    for dead in ledger.dead:
        for raw_access in (dead.access, *dead.revoked_access[-2:]):
            asker._refused(raw_access, "a token of a dead session")
        for raw_refresh in (dead.refresh, *dead.former[-2:]):
            status = asker._refresh_with(raw_refresh).status
            ledger.expect(status == 401, f"a dead session was refreshed: {status}")


def every(seconds: float, stop: Event, do: Callable[[], None]) -> None:
    while not stop.wait(seconds):
        do()


def kill_a_worker(site: RunningSite, ledger: Ledger, spared: int) -> None:
    others = [pid for pid in site.workers() if pid != spared]
    if len(others) > 1:
        os.kill(random.choice(others), signal.SIGKILL)  # Any worker will do.
        ledger.count("workers killed")


def rotate(ledger: Ledger) -> None:
    words = ["--algorithm", random.choice(ALGORITHMS)] if random.random() < 0.5 else []
    manage("rotate_secret", "--noinput", *words)
    ledger.count("rotations")


def prune(ledger: Ledger) -> None:
    report = json.loads(manage("prune_tokens", "--json"))
    ledger.count("prunings")
    ledger.count("rows pruned", sum(report["rows"].values()))


def manage(*words: str) -> str:
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        sys.exit(f"manage.py {' '.join(words)}: {done.stderr}")
    return done.stdout


def make_user(name: str) -> None:
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    email = f"{name}@example.org"
    manage("createsuperuser", "--noinput", "-v0", f"--username={name}", f"--email={email}")


def resident(pid: int) -> int:
    """Return the resident memory of a process in kB, while it hashes no password."""
    samples = []
    for _ in range(100):
        status = Path(f"/proc/{pid}/status").read_text()
        samples.append(int(status.partition("VmRSS:")[2].split()[0]))
        # Argon2 uses a hundred megabytes while it hashes, for seconds on a busy machine.
        time.sleep(0.1)
    return min(samples)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
