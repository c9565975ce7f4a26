"""``manage.py explain_token``: check a token step by step, and print why it would be refused."""

import getpass
import sys
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ...operations.explanation import Explanation, explain
from ...operations.wording import utc
from ...secret import Secret, hides_locals
from ..base import OperatorCommand

# In characters: a terminal passes on at most this much of a typed line, and drops the rest.
MAX_TERMINAL_LINE = 4095
VERDICTS = {True: "ok", False: "REFUSED", None: "-"}


class Command(OperatorCommand):
    help = (
        "Show step by step why a token is accepted or refused. The token is read from standard "
        "input, or from a prompt that does not echo it: on the command line it would be visible "
        "in `ps` and in the shell's history. The exit status is 0 if the token would be accepted, "
        "1 otherwise. Nothing is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON for programs")
        # Accepted, because the error message of argparse would repeat the token.
        parser.add_argument("on_the_command_line", nargs="*", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["on_the_command_line"]:
            raise CommandError(
                "A token on the command line is now in the shell's history and was visible in `ps`. "
                "Revoke it. Type or pipe the next token: manage.py explain_token < file"
            )
        explanation = explain(_read_token())
        if options["json"]:
            self.print_json(_as_json(explanation))
        else:
            self.print_table(
                ("STEP", "VERDICT", "FOUND"),
                [(step.name, VERDICTS[step.passed], step.found) for step in explanation.steps],
            )
            verdict = "refused: " + explanation.refusal if explanation.refusal else "accepted."
            self.stdout.write(f"\nThis token would be {verdict}")
        if not explanation.accepted:
            sys.exit(1)


@hides_locals
def _read_token() -> Secret[str]:
    """Return the token, without a header name and a scheme that were copied with it."""
    from_terminal = sys.stdin is not None and sys.stdin.isatty()
    text = _read_terminal() if from_terminal else _read_pipe()
    if from_terminal and len(text) >= MAX_TERMINAL_LINE:
        raise CommandError(
            "The terminal truncated this token. Pipe it: manage.py explain_token < file"
        )
    words = text.split()
    if words and words[0].lower() == "authorization:":
        del words[0]
    if words and words[0].lower() == "bearer":
        del words[0]
    if not words:
        raise CommandError("There is no token on standard input.")
    return Secret(" ".join(words))


def _read_terminal() -> str:
    try:
        return getpass.getpass("Token (it is not shown): ")
    except EOFError:
        return ""


def _read_pipe() -> str:
    if sys.stdin is None:  # The caller closed it.
        return ""
    # The bound, in bytes, is far above the longest token. Bytes that are not ASCII are replaced,
    # and the token is then refused as malformed.
    return sys.stdin.buffer.read(100_000).decode("ascii", "replace")


def _as_json(explanation: Explanation) -> dict[str, Any]:
    claims = explanation.claims
    return {
        "accepted": explanation.accepted,
        "refusal": explanation.refusal or None,
        "token": claims
        and {
            "type": claims.type,
            "kid": claims.kid,
            "jti": claims.jti,
            "sid": str(claims.sid),
            "sub": claims.sub,
            "generation": claims.generation,
            "expires_at": utc(claims.expires_at),
        },
        "steps": [
            {"step": step.name, "passed": step.passed, "found": step.found}
            for step in explanation.steps
        ],
        "denials": [
            {
                "kind": row.kind,
                "id": row.value,
                "denied_at": utc(row.denied_at),
                "denied_by": row.denied_by and row.denied_by.get_username(),
                "reason": row.reason,
                "until": utc(row.until),
            }
            for row in explanation.denials
        ],
    }
