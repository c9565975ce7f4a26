"""``manage.py prune_tokens``: delete the rows that are of no use any more. For a daily timer."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from ...operations import pruning
from ...operations.pacing import ALONE_SECONDS, BATCH_SECONDS
from ...operations.pruning import LARGEST_BATCH, Outcome
from ...operations.wording import counted
from ..base import OperatorCommand

NOUNS = {
    "denials": "denial",
    "sessions": "session",
    "throttle_counts": "throttle count",
    "keys": "key",
}


class Command(OperatorCommand):
    help = (
        "Delete denials, sessions, throttle counts and keys whose time is over, in short batches "
        "with rests between them. No token that is refused is accepted because of it. Run it daily; "
        "twice at once or killed in the middle does no harm."
    )
    when_cut_short = "What was deleted stays deleted; the next run does the rest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--max-seconds",
            type=_seconds,
            metavar="N",
            help="stop after so long; the next run does the rest",
        )
        parser.add_argument(
            "--batch-size",
            type=_batch_size,
            default=LARGEST_BATCH,
            metavar="N",
            help=f"rows per transaction at most, 1 to {LARGEST_BATCH} (default: as many as go in "
            f"{BATCH_SECONDS:g} s, on SQLite in {ALONE_SECONDS:g} s while nobody else writes)",
        )
        self.add_report_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        dry = options["dry_run"]
        if dry:
            outcome = Outcome(pruning.count(), complete=True)
        else:
            tell = self.progress()
            outcome = pruning.prune(
                batch_size=options["batch_size"],
                max_seconds=options["max_seconds"],
                progress=lambda kind, rows: tell(f"{counted(rows, NOUNS[kind])} deleted so far"),
            )
        if options["json"]:
            report = {"action": "prune", "dry_run": dry, "complete": outcome.complete and not dry}
            self.print_json({**report, "rows": outcome.deleted})
        else:
            self._print(outcome, dry=dry)

    def _print(self, outcome: Outcome, *, dry: bool) -> None:
        for kind, rows in outcome.deleted.items():
            if rows:
                verb = "would delete" if dry else "deleted"
                self.stdout.write(f"{verb}  {counted(rows, NOUNS[kind])}")
        if not outcome.complete:
            self.stdout.write("Stopped after --max-seconds; the next run does the rest.")
        elif not any(outcome.deleted.values()):
            self.stdout.write("Nothing is due.")
        if dry:
            self.stdout.write("Nothing was changed.")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds.")
    return seconds


def _batch_size(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= LARGEST_BATCH:
        return int(text)
    raise ArgumentTypeError(f"{text!r} is not a number from 1 to {LARGEST_BATCH}.")
