"""``manage.py rotate_secret``: rotate the signing key, or revoke keys that have leaked."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ... import clock, keyring
from ...keyring import Plan, RotationConflict
from ...models import Session, SigningKey
from ...operations.tally import Tally, tally
from ...operations.wording import cost_of_revoking, counted, utc
from ..base import OperatorCommand, reason


class Command(OperatorCommand):
    help = (
        "Rotate the signing key. The key that was published ahead signs from now on, a new key is "
        "published ahead, and the former key verifies until its last token has expired. No user is "
        "signed out, and no process needs a restart."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--algorithm",
            choices=keyring.ALGORITHMS,
            help="sign with a new key of this algorithm at once",
        )
        parser.add_argument(
            "--publish-only",
            action="store_true",
            help="with --algorithm: only publish that key; the next rotation signs with it",
        )
        parser.add_argument(
            "--revoke-previous",
            action="store_true",
            help="after a leak: revoke every other key, which signs out all users at once",
        )
        parser.add_argument(
            "--reason",
            type=reason,
            help="with --revoke-previous: the reason, shown in the denylist and the admin",
        )
        parser.add_argument(
            "--secret-lost",
            action="store_true",
            help="with --revoke-previous: do not check that TOKENS_SECRET opens the former keys",
        )
        parser.add_argument(
            "--reseal",
            action="store_true",
            help="rotate nothing: seal with TOKENS_SECRET every key that a fallback sealed",
        )
        self.add_change_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_contradictions(options)
        if not options["secret_lost"]:
            # Before any change: a process with another TOKENS_SECRET could not open the new key.
            keyring.check()
        try:
            if options["reseal"]:
                self._reseal(options)
            elif options["publish_only"]:
                self._publish(options)
            else:
                self._rotate(options)
        except RotationConflict as conflict:
            raise CommandError(f"{conflict} To see the keys, run: manage.py list_keys") from None

    def _rotate(self, options: dict[str, Any]) -> None:
        plan = keyring.plan_rotation(
            algorithm=options["algorithm"], revoke_previous=options["revoke_previous"]
        )
        cost = _cost(plan)
        report: dict[str, Any] = {
            "action": "rotate",
            "dry_run": options["dry_run"],
            "alg": plan.algorithm,
            "signing": plan.successor,
            "next": None,
            "dropped": None if plan.revoked else plan.discarded,
            "retired": None if plan.revoked else plan.former,
            "verifies_until": None if plan.revoked else utc(plan.verifies_until),
            "revoked": list(plan.revoked),
            "sessions_revoked": cost.sessions,
            "users_signed_out": cost.users,
            "counted_all": cost.exact,
        }
        if not options["dry_run"]:
            if plan.revoked and options["interactive"]:
                self.confirm(
                    cost_of_revoking(
                        plan.revoked, sessions=cost.sessions, users=cost.users, exact=cost.exact
                    )
                )
            # From here on an error does not mean that the rotation was not committed.
            self.when_interrupted = "Run manage.py list_keys to see whether the key was rotated."
            keyring.rotate(plan, reason=options["reason"] or "signing key revoked")
            report.update(_ring_now())
            self._wait(options)
        if options["json"]:
            self.print_json(report)
        else:
            self._print_rotation(report)

    def _print_rotation(self, report: dict[str, Any]) -> None:
        dry_run, new_key = report["dry_run"], "a new key"
        self.stdout.write(f"signing  {report['signing'] or new_key}  {report['alg']}")
        self.stdout.write(f"next     {report['next'] or new_key}  {report['alg']}")
        if report["dropped"]:
            self.stdout.write(f"dropped  {report['dropped']}, which never signed")
        if report["retired"]:
            self.stdout.write(f"retired  {report['retired']}  until {report['verifies_until']}")
        for kid in report["revoked"]:
            self.stdout.write(f"revoked  {kid}")
        exact = report["counted_all"]
        if report["revoked"] and exact and not report["sessions_revoked"]:
            self.stdout.write(
                "No live session has a token signed by these keys: no user is signed out."
            )
        elif report["revoked"]:
            self.stdout.write(
                f"{counted(report['sessions_revoked'], 'session', exact=exact)} of "
                f"{counted(report['users_signed_out'], 'user', exact=exact)} "
                + ("would be revoked." if dry_run else "revoked: they must sign in again.")
            )
        if dry_run:
            self.stdout.write("Nothing was changed.")

    def _publish(self, options: dict[str, Any]) -> None:
        algorithm, dry_run = options["algorithm"], options["dry_run"]
        kid = None if dry_run else keyring.publish(algorithm)
        if options["json"]:
            self.print_json(
                {"action": "publish", "dry_run": dry_run, "next": kid, "alg": algorithm}
            )
        elif dry_run:
            self.stdout.write(f"A new {algorithm} key would be published. Nothing was changed.")
        else:
            self.stdout.write(f"next     {kid}  {algorithm}, signs from the next rotation on")

    def _reseal(self, options: dict[str, Any]) -> None:
        dry_run = options["dry_run"]
        kids = keyring.reseal(dry_run=dry_run)
        if options["json"]:
            self.print_json({"action": "reseal", "dry_run": dry_run, "resealed": kids})
            return
        verb = "would be resealed" if dry_run else "resealed"
        for kid in kids:
            self.stdout.write(f"{verb}  {kid}")
        self.stdout.write(
            f"{counted(len(kids), 'key')} {verb} under TOKENS_SECRET. "
            + ("Nothing was changed." if dry_run else "You can empty TOKENS_SECRET_FALLBACKS.")
        )

    def _wait(self, options: dict[str, Any]) -> None:
        """Wait until every process signs with the new key."""
        if not options["json"]:
            self.stdout.write("Rotated. Waiting a second until every process uses the new key.")
            self.stdout.flush()
        time.sleep(keyring.SIGNER_MAX_AGE * 1.1)


def _ring_now() -> dict[str, str]:
    signs_or_next = SigningKey.objects.filter(state__in=["signing", "next"])
    return {row.state: row.kid for row in signs_or_next}


def _cost(plan: Plan) -> Tally:
    """Return how many live sessions of how many users the plan revokes."""
    if not plan.revoked:
        return Tally(0, 0)
    # Every key that verifies is revoked, so every live session ends.
    return tally(Session.objects.all().with_tokens(), now=clock.now())


def _refuse_contradictions(options: dict[str, Any]) -> None:
    if options["reseal"] and (options["algorithm"] or options["revoke_previous"]):
        raise CommandError(
            "--reseal rotates nothing: use it without --algorithm and --revoke-previous."
        )
    if options["publish_only"] and (not options["algorithm"] or options["revoke_previous"]):
        raise CommandError("--publish-only requires --algorithm, and excludes --revoke-previous.")
    if options["reason"] and not options["revoke_previous"]:
        raise CommandError("--reason requires --revoke-previous: a rotation alone denies nothing.")
    if options["secret_lost"] and not options["revoke_previous"]:
        raise CommandError(
            "--secret-lost requires --revoke-previous: old tokens cannot be verified without the secret."
        )
