"""Promise 5: a thief of the database without TOKEN_SECRET can forge nothing."""

import base64
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.support.processes import content_of
from tokens import keyring, sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("algorithm", keyring.ALGORITHMS)
def test_the_database_yields_no_key_and_no_token(user: Any, algorithm: str) -> None:
    keyring.ensure()
    if keyring.signing_key().algorithm != algorithm:
        keyring.rotate(keyring.plan_rotation(algorithm=algorithm))
    key = keyring.signing_key()
    pair = sessions.refresh(sessions.start(user).raw_refresh)
    stolen = every_byte_of_the_database()
    assert key.kid.encode() in stolen
    for secret in private_parts(key.material):
        for form in (secret, secret.hex().encode(), secret.hex().upper().encode()):
            assert form not in stolen
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            assert encode(secret).rstrip(b"=") not in stolen
        assert str(int.from_bytes(secret)).encode() not in stolen
    for raw_token in (pair.raw_access, pair.raw_refresh):
        for part in raw_token.split("."):
            assert part.encode() not in stolen


def private_parts(material: Any) -> list[bytes]:
    """Return the numbers that must stay secret, each as its bytes."""
    if isinstance(material, bytes):
        return [material]
    if hasattr(material, "private_bytes_raw"):
        return [material.private_bytes_raw()]
    numbers = material.private_numbers()
    found = [getattr(numbers, name, 0) for name in ("d", "p", "q", "private_value")]
    return [number.to_bytes((number.bit_length() + 7) // 8) for number in found if number]


def every_byte_of_the_database() -> bytes:
    """Return the files' bytes on SQLite, the text of every row elsewhere."""
    if connection.vendor == "sqlite":
        file = Path(str(connection.settings_dict["NAME"]))
        beside = file.with_name(f"{file.name}-wal")  # the part that is not yet in the file itself
        return content_of(*filter(Path.exists, (file, beside)))
    rows: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows).encode()
