"""What the operators' commands share: sentences for trouble, questions, instants and tables."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError

from tokens.errors import KeyRingError


class OperatorCommand(BaseCommand):
    """A command whose every failure is a sentence that says what to do, and exit status 1."""

    # A ring that does not open is this command's to explain, in one sentence.
    requires_system_checks = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            raise CommandError(_database_trouble(error)) from error
        except KeyRingError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=130) from None

    def confirm(self, question: str) -> None:
        """Return after a typed «yes»; anything else is a CommandError, and nothing has happened."""
        # On stderr, so that standard output stays what was asked for.
        self.stderr.write(f"{question}\nType 'yes' to go on: ", ending="")
        self.stderr.flush()
        answer = sys.stdin.readline()
        if not answer:
            raise CommandError("Nobody answered, so nothing was changed. Scripts say --noinput.")
        if answer.strip().lower() != "yes":
            raise CommandError("Nothing was changed.")

    def print_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2))

    def print_table(self, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        lines = [heading, *rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def utc(instant: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC, in whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None


def counted(number: int, noun: str) -> str:
    """Return «1 session», «1,234 sessions»."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _database_trouble(error: Exception) -> str:
    cause = str(error).strip().splitlines()[:1] or [type(error).__name__]
    if "no such table" in cause[0] or "does not exist" in cause[0]:
        return f'The database lacks a table ({cause[0]}). Run "manage.py migrate" first.'
    return (
        f"The database does not answer: {cause[0]}. Is DATABASE_URL right, and is it running? "
        "Nothing was changed."
    )
