"""``manage.py prune_tokens``: delete rows that are no longer needed. Run it daily."""

from argparse import ArgumentParser, ArgumentTypeError
from functools import partial
from typing import Any

from ...operations import pruning
from ...operations.pacing import BATCH_SECONDS, IDLE_BATCH_SECONDS
from ...operations.pruning import LARGEST_BATCH, Outcome
from ...operations.wording import counted
from ..base import OperatorCommand, whole_number

NOUNS = {
    "denials": "denial",
    "sessions": "session",
    "throttle_counts": "throttle count",
    "keys": "key",
}


class Command(OperatorCommand):
    help = (
        "Delete denials, sessions, throttle counts and keys that are no longer needed, in short "
        "batches with pauses between them. It never makes a refused token acceptable. Run it daily. "
        "Two runs at once, or a run that is killed, do no harm."
    )
    when_interrupted = "What was deleted stays deleted. The next run deletes the rest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--max-seconds",
            type=_seconds,
            metavar="N",
            help="stop after N seconds; the next run deletes the rest",
        )
        parser.add_argument(
            "--batch-size",
            type=partial(whole_number, most=LARGEST_BATCH),
            default=LARGEST_BATCH,
            metavar="N",
            help=f"rows per transaction at most, 1 to {LARGEST_BATCH} (default: as many as take "
            f"{BATCH_SECONDS:g} s, or on SQLite {IDLE_BATCH_SECONDS:g} s while no other process writes)",
        )
        self.add_report_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run = options["dry_run"]
        if dry_run:
            outcome = Outcome(pruning.count(), complete=True)
        else:
            report = self.progress()
            outcome = pruning.prune(
                batch_size=options["batch_size"],
                max_seconds=options["max_seconds"],
                progress=lambda kind, rows: report(f"{counted(rows, _noun(kind))} deleted so far"),
            )
        if options["json"]:
            self.print_json(
                {
                    "action": "prune",
                    "dry_run": dry_run,
                    "complete": outcome.complete and not dry_run,
                    "rows": outcome.deleted,
                }
            )
        else:
            self._print(outcome, dry_run=dry_run)

    def _print(self, outcome: Outcome, *, dry_run: bool) -> None:
        for kind, rows in outcome.deleted.items():
            if rows:
                verb = "would delete" if dry_run else "deleted"
                self.stdout.write(f"{verb}  {counted(rows, _noun(kind))}")
        if not outcome.complete:
            self.stdout.write("Stopped after --max-seconds. The next run deletes the rest.")
        elif not any(outcome.deleted.values()):
            self.stdout.write("There is nothing to delete.")
        if dry_run:
            self.stdout.write("Nothing was changed.")


def _noun(kind: str) -> str:
    return NOUNS.get(kind) or pruning.other_nouns[kind]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds.")
    return seconds
