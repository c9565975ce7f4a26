"""A rotation that is killed at any statement leaves the ring as before or as after."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.support.processes import ROOT, environment
from tokens import keyring, sessions
from tokens.models import DeniedToken, SigningKey

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

Ring = dict[str, str]


def ring() -> Ring:
    return dict(SigningKey.objects.values_list("kid", "state"))


def an_hour_passes() -> None:
    """Date the last rotation an hour back, so that it does not prevent the next one."""
    long_ago = timezone.now() - timedelta(hours=1)
    SigningKey.objects.filter(retired_at__isnull=False).update(retired_at=long_ago)


class Rotator:
    """Rotates in processes that are killed, forked from one that has loaded Django."""

    def __init__(self, how: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.dying_rotator", how],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def rotate_and_die(self, at_statement: int) -> bool:
        """Rotate in a process that is killed before its n-th statement; False if it had fewer."""
        assert self._process.stdin
        assert self._process.stdout
        print(at_statement, file=self._process.stdin, flush=True)
        exit_code = int(self._process.stdout.readline())
        assert exit_code in (0, -signal.SIGKILL)
        return exit_code != 0

    def close(self) -> None:
        self._process.communicate(timeout=60)
        assert self._process.returncode == 0


@pytest.fixture
def rotator(user: Any, how: str) -> Iterator[Rotator]:
    keyring.ensure()
    rotator = Rotator(how)
    yield rotator
    rotator.close()


@pytest.mark.parametrize("how", ["plain", "revoke_previous"])
def test_the_ring_is_as_before_or_as_after(user: Any, rotator: Rotator, how: str) -> None:
    sessions.start(user)
    died_before = died_after = 0
    for at_statement in range(1, 40):
        an_hour_passes()
        before = ring()
        died = rotator.rotate_and_die(at_statement)
        after = ring()
        assert sorted(after.values()).count("signing") == 1
        assert sorted(after.values()).count("next") == 1
        revoked = {kid for kid, state in after.items() if state == "revoked"}
        assert revoked == set(DeniedToken.objects.values_list("value", flat=True))
        signer_before = next(kid for kid, state in before.items() if state == "signing")
        if after[signer_before] == "signing":
            assert after == before
            died_before += 1
        else:
            died_after += died
            if how == "revoke_previous":
                assert {after[kid] for kid in before} == {"revoked"}
        keyring.forget()
        keyring.check()
        if not died:
            break
    else:
        pytest.fail("The rotation never finished.")
    assert died_before > 3
