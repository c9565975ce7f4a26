"""Print what is found, as ``python -m tests.leaks [sentry] [door …]``; for the tests, as JSON."""

import dataclasses
import json
import os
import sys
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.leaks.settings")

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import setup_test_environment, teardown_test_environment  # noqa: E402

from .doors import DOORS  # noqa: E402
from .reports import SENTRY  # noqa: E402
from .stories import run  # noqa: E402


def main() -> None:
    told = os.environ.get("LEAKS")
    sentry, doors = json.loads(told) if told else ((sys.argv[1:] or ["defaults"])[0], sys.argv[2:])
    setup_test_environment(debug=False)
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        outcome = run(SENTRY[sentry], doors=doors or DOORS)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()
    if told:
        findings = [dataclasses.asdict(found) for found in outcome.findings]
        broken = {name: times for name, times in outcome.broken.items() if times}
        print(json.dumps({"findings": findings, "reports": outcome.reports, "broken": broken}))  # noqa: T201
        return
    for found in outcome.findings:
        print(f"{found.door}: {found.failure}: {found.secret} x{found.count} in {found.report}")  # noqa: T201
    totals: Counter[str] = Counter()
    for found in outcome.findings:
        totals[f"{found.report}: {found.secret}"] += found.count
    print(outcome.stories, "stories;", dict(outcome.reports), "searched; found:", dict(totals))  # noqa: T201


main()
