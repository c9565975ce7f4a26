"""Promise 6: rotations under load fail no request, with several processes and many clients."""

import time
from collections.abc import Iterator

import pytest
from django.core.management import call_command

from tests.support.clients import calls, calls_and_refreshes, create_users, hammering, sign_in
from tests.support.processes import Site, running_site
from tests.support.waiting import wait_until
from tokens import keyring
from tokens.models import Session, SigningKey

WORKERS = 4
CLIENTS = 8

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def site() -> Iterator[Site]:
    keyring.ensure()
    create_users(CLIENTS)
    # Without a grace, each refresh rotates.
    with running_site(workers=WORKERS, REFRESH_TOKEN_GRACE="0") as site:
        yield site


def rotate(*words: str) -> None:
    """Rotate in this process, which is none of the site's; return when all sign with the new key."""
    call_command("rotate_secret", *words)


def test_rotations_in_a_row_fail_no_request_and_lose_no_session(site: Site) -> None:
    with hammering(site, calls_and_refreshes, clients=CLIENTS) as diaries:
        for algorithm in ("ES256", "RS256", "EdDSA", "PS256", "HS384"):
            rotate()
            rotate()
            rotate("--algorithm", algorithm)
        wait_until(lambda: all(diary.rotations > 5 for diary in diaries))
    assert [diary.refused for diary in diaries] == [[]] * CLIENTS
    # Ten plain rotations and five to another algorithm, each of which leaves a former key.
    assert SigningKey.objects.filter(state="retired").count() == 15
    assert Session.objects.filter(ended_at=None).count() == CLIENTS
    generations = sorted(Session.objects.values_list("generation", flat=True))
    assert generations == sorted(diary.rotations for diary in diaries)
    for diary in diaries:
        calls_and_refreshes(site, diary)
        assert diary.refused == []


def test_after_a_revocation_no_process_accepts_an_old_token(site: Site) -> None:
    with hammering(site, calls, clients=CLIENTS) as diaries:
        wait_until(lambda: all(diary.requests for diary in diaries))
        rotate("--revoke-previous", "--noinput")
        returned_at = time.time()
        for number in range(CLIENTS):
            fresh = sign_in(site, number)
            calls_and_refreshes(site, fresh)
            assert fresh.refused == []
        time.sleep(1)
    for diary in diaries:
        later = [status for started, status in diary.requests if started > returned_at]
        assert set(later) == {401}
        assert 200 in {status for started, status in diary.requests if started < returned_at}
        assert site.post("/api/token/refresh/", refresh=diary.refresh)[0] == 401
