"""Run the site in its two states, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.support.processes import ROOT

SITE = "tests.takeover.site"


@contextmanager
def environments(
    database_url: str, variant: str, *, atomic: bool = False
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the environments of the former site and of ours."""
    with tempfile.TemporaryDirectory(prefix="latchkey-takeover-") as folder:
        key = Path(folder) / "key"
        private = rsa.generate_private_key(65537, 2048)
        key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        Path(f"{key}.pub").write_bytes(
            private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        common = {
            **os.environ,
            "DATABASE_URL": database_url,
            "TAKEOVER_VARIANT": variant,
            "TAKEOVER_ATOMIC": str(int(atomic)),
            "TAKEOVER_KEY": str(key),
        }
        yield (
            {**common, "DJANGO_SETTINGS_MODULE": f"{SITE}.former_settings"},
            {**common, "DJANGO_SETTINGS_MODULE": f"{SITE}.our_settings"},
        )


def run(module: str, *words: str, served: dict[str, str], given: str = "") -> str:
    """Run a module of the site until it exits, and return what it has printed."""
    done = subprocess.run(
        [sys.executable, "-m", f"{SITE}.{module}", *words],
        cwd=ROOT,
        env=served,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stdout.splitlines()[-1]


def story(
    database_url: str, variant: str, *, users: int, parallel: int, forgeries: int, atomic: bool
) -> dict[str, Any]:
    """Run the whole story, and return how many answers of each kind were seen."""
    with environments(database_url, variant, atomic=atomic) as (former, ours):
        for served in (former, ours):
            # The story may take longer than five minutes, and its time does not stand still.
            served["TAKEOVER_ACCESS"] = "7200"
        held = run("begin", str(users), served=former)
        found: dict[str, Any] = json.loads(
            run("go_on", str(parallel), str(forgeries), served=ours, given=held)
        )
        return found
