"""Run groups of trials on the database of DATABASE_URL: ``python -m … ENGINE TRIALS GROUP …``."""

import sys
import time

from tests.trials import start
from tests.trials.figures import line

EXAMPLES = 5  # of what failed in one trial


def main(engine: str, trials: int, groups: list[str]) -> int:
    start.set_up()
    # It needs Django to be set up.
    from tests.trials.suite import run_group

    failures: list[str] = []
    for group in groups:
        began = time.monotonic()
        for figures in run_group(group, trials):
            print(line(figures, engine=engine, seconds=time.monotonic() - began), flush=True)
            failures += [f"{figures.trial}, {engine}: {why}" for why in figures.failures()]
            failures += figures.examples[:EXAMPLES]
            began = time.monotonic()
    for failure in failures:
        print(f"FAILED  {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
