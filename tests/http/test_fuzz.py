"""A few of the random requests that ``make fuzz`` sends. FUZZ_REQUESTS sets their number."""

import os

import pytest

from tests.fuzz.requests import Tokens
from tests.fuzz.run import fuzz
from tokens.sessions import TokenPair

from .conftest import Served

pytestmark = pytest.mark.slow


def test_random_requests_break_no_promise(served: Served, pair: TokenPair) -> None:
    found = fuzz(
        served.client.at[1],
        served.log,
        lambda: Tokens(pair.raw_access, pair.raw_refresh),
        count=int(os.environ.get("FUZZ_REQUESTS", "500")),
    )
    assert not found.wrongs, "\n".join(found.wrongs)
    # They do not all end at the first gate.
    assert found.statuses.keys() >= {200, 302, 400, 401, 403, 404, 405}, found.line()
