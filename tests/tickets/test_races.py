"""Of many requests with one ticket, the database lets one in."""

from collections import Counter
from typing import Any

import pytest

from tests.support.races import race
from tokens import clock, keyring, sessions
from tokens.tickets import issuing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_fifty_requests_in_six_processes_with_one_ticket_let_one_in(
    tokens_process: None, user: Any
) -> None:
    keyring.ensure()
    claims = sessions.authenticate(sessions.start(user).raw_access).claims
    ticket = issuing.issue(claims, method="GET", path="/", now=clock.now())
    answers = race(*["redeem"] * 6, raw_token=ticket.reveal())
    refused = "Malformed: The ticket is unknown, used, expired, or for another address."
    assert Counter(answers) == {"redeemed": 1, refused: 53}
