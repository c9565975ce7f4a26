"""A library for Node.js reads the same statuses from a list of this app."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.status_list.conftest import BASE, bits_of, fetch, read_list
from tests.verifiers.conftest import node_modules as node_modules  # a fixture
from tokens import sessions
from tokens.status_list import forget
from tokens.status_list.lists import LIST_SIZE
from tokens.status_list.models import RefusedIndex

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]


def test_the_library_agrees_on_ten_thousand_random_indices(node_modules: Path, user: Any) -> None:
    valid, ended = sessions.start(user), sessions.start(user)
    sessions.revoke(ended.raw_refresh)
    numbers = random.Random(5)
    until = ended.session.expires_at
    refused = numbers.sample(range(LIST_SIZE), LIST_SIZE // 50)
    RefusedIndex.objects.bulk_create(
        (RefusedIndex(index=index, until=until) for index in refused),
        batch_size=5000,
        ignore_conflicts=True,
    )
    own = int(valid.session.status_index.partition(":")[2])
    RefusedIndex.objects.filter(index=own).delete()
    forget()
    indices = numbers.sample(range(LIST_SIZE), 10_000)
    bits = bits_of(read_list(f"{BASE}0"))
    expected = [bits[idx // 8] >> idx % 8 & 1 for idx in indices]
    assert 150 < sum(expected) < 250
    assert len(set(refused) & set(indices)) - sum(expected) in {-1, 0, 1}
    for pair, status in ((valid, 0), (ended, 1)):
        found = read(node_modules, pair.raw_access, fetch(f"{BASE}0").content.decode(), indices)
        assert found["reference"]["uri"] == f"{BASE}0"
        assert found["status"] == status
        assert found["statuses"] == expected


def read(node_modules: Path, raw_access: str, raw_list: str, indices: list[int]) -> Any:
    done = subprocess.run(
        ["node", "status_list.js"],
        cwd=node_modules,
        input=json.dumps({"raw_access": raw_access, "raw_list": raw_list, "indices": indices}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
