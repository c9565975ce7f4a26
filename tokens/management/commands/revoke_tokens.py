"""``manage.py revoke_tokens``: revoke a token, a session, or the sessions of one or all users."""

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from ...operations import revocation
from ...operations.revocation import Cost, Target, UnknownTarget
from ...operations.wording import counted
from ..base import OperatorCommand, reason


class Command(OperatorCommand):
    help = (
        "End sessions, or deny one access token. The tokens are refused from the next request on, "
        "in every process on every host. It cannot be undone; the users must sign in again."
    )
    when_interrupted = (
        "Either nothing was revoked or everything. Run the command with --dry-run to see."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        target = parser.add_mutually_exclusive_group(required=True)
        target.add_argument("--user", metavar="NAME", help="every session of this user")
        target.add_argument("--all", action="store_true", help="every session of every user")
        target.add_argument("--session", type=_sid, metavar="SID", help="one session")
        target.add_argument(
            "--jti",
            help="one token: an access token alone, or a refresh token and so its session",
        )
        parser.add_argument(
            "--reason",
            type=reason,
            required=True,
            help="the reason, shown in the denylist and the admin",
        )
        self.add_change_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            target, target_json = _target(options)
        except UnknownTarget as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        cost = revocation.cost(target)
        if cost and not options["dry_run"]:
            if options["interactive"]:
                self.confirm(f"This revokes {_describe(cost)} It cannot be undone.")
            cost = self._revoke(target, cost, note=options["reason"])
        if options["json"]:
            self.print_json(
                {
                    "action": "revoke",
                    "target": target_json,
                    "reason": options["reason"],
                    "dry_run": options["dry_run"],
                    "sessions_revoked": cost.sessions,
                    "users_signed_out": cost.users,
                    "tokens_revoked": cost.tokens,
                    "counted_all": cost.exact,
                }
            )
        elif not cost:
            self.stdout.write(
                "There is nothing to revoke: no live session matches. Nothing was changed."
            )
        elif options["dry_run"]:
            self.stdout.write(f"This would revoke {_describe(cost)} Nothing was changed.")
        else:
            self.stdout.write(f"Revoked {_describe(cost)}")

    def _revoke(self, target: Target, cost: Cost, *, note: str) -> Cost:
        """Revoke ``target`` and return how much was revoked, which may differ from ``cost``."""
        done = revocation.carry_out(target, note=note)
        return replace(cost, tokens=done) if target.jti else replace(cost, sessions=done)


def _target(options: dict[str, Any]) -> tuple[Target, dict[str, Any]]:
    """Return the target, and the option that named it for ``--json``. Raises UnknownTarget."""
    if options["all"]:
        return revocation.everything(), {"all": True}
    if options["user"] is not None:
        return revocation.of_user(options["user"]), {"user": options["user"]}
    if options["session"]:
        return revocation.of_session(options["session"]), {"session": str(options["session"])}
    return revocation.of_token(options["jti"]), {"jti": options["jti"]}


def _describe(cost: Cost) -> str:
    if cost.tokens:
        return "one access token; its session goes on."
    sessions = counted(cost.sessions, "session", exact=cost.exact)
    users = counted(cost.users, "user", exact=cost.exact)
    return f"{sessions} of {users}, who must sign in again."


def _sid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a sid, which is a UUID.") from None
