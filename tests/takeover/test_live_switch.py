"""A switch under load, and back; ``make takeover`` does it with 200 clients."""

import os

import pytest

from tests.support.services import temporary_database

from .live import switch_and_return


@pytest.mark.services
def test_all_stay_signed_in_on_the_way_in_and_only_the_named_ones_are_signed_out_on_the_way_back() -> (
    None
):
    with temporary_database(os.environ["DATABASE_URL"]) as url:
        seen = switch_and_return(url, clients=20)
    assert seen["signed out on the way back"] == 10
