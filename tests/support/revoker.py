"""
A process that revokes sessions whenever it is told to, always on the same connection.

Run as a module, it reads lines: "end" and the ids of sessions, or "deny", a number of tokens that
no client holds, and how many hours ago. It answers each with a line when it is committed.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import django

from tests.support.crowds import SNAPSHOT_SETTINGS, Member
from tests.support.processes import PATIENCE, ROOT, environment


class Revoker:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def end(self, members: list[Member]) -> None:
        """Revoke these sessions."""
        self._tell(" ".join(["end", *(member.sid for member in members)]))

    def deny_strangers(self, count: int, *, hours_ago: int = 0) -> None:
        """Deny tokens that no client holds, so that the table has other rows too."""
        self._tell(f"deny {count} {hours_ago}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer == "done\n", f"the process that revokes said {answer!r}"


@contextmanager
def own_revoker(database_url: str, **changes: str) -> Iterator[Revoker]:
    """Run the process, with these changes to its environment, until the block ends."""
    changes = {"DJANGO_SETTINGS_MODULE": SNAPSHOT_SETTINGS, **changes}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.revoker"],
        cwd=ROOT,
        env=environment(DATABASE_URL=database_url, **changes),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Revoker(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=PATIENCE)


def main() -> None:
    django.setup()
    from tokens import clock, denylist, sessions
    from tokens.models import DeniedToken, Session

    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "end":
            reason = sessions.EndReason.REVOKED
            sessions.end(Session.objects.filter(pk__in=words), reason=reason)
        else:
            count, hours_ago = map(int, words)
            at = clock.now() - timedelta(hours=hours_ago)
            until = at + denylist.longest_accepted()
            strangers = [(uuid4().hex, None) for _ in range(count)]
            kind = DeniedToken.Kind.TOKEN
            denylist.deny(strangers, kind=kind, reason="test", until=until, now=at)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
