"""Rotate the signing key, and kill this process with SIGKILL before its n-th statement."""

import os
import signal
import sys
from itertools import count
from typing import Any

import django
from django.db import connection


def main(at_statement: int, how: str) -> None:
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
    main(int(sys.argv[1]), sys.argv[2])
