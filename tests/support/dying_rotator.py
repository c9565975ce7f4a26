"""
Rotates the key in processes that are killed before a statement, as when a machine loses power.

For each number that it reads it forks a process that is killed before its n-th statement, and
prints the exit code of that process.
"""

import os
import signal
import sys
from itertools import count
from typing import Any

import django
from django.db import connection


def main(how: str) -> None:
    for line in iter(sys.stdin.readline, ""):
        if (child := os.fork()) == 0:
            rotate(int(line), how)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201


def rotate(at_statement: int, how: str) -> None:
    from tokens import keyring

    numbers = count(1)

    def die(execute: Any, *statement: Any) -> Any:
        if next(numbers) == at_statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*statement)

    with connection.execute_wrapper(die):
        keyring.rotate(keyring.plan_rotation(revoke_previous=how == "revoke_previous"))


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1])
