"""While somebody guesses at one account without a pause, only the guesser is refused."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from django.contrib.auth import get_user_model

from tests.faults.conftest import PASSWORD, eventually
from tests.support.processes import RunningSite, Site, manage, running_site

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

PER_SECOND = 20
TIMES = 20
HOME = "192.0.2.1"
NEW_PLACES = [f"198.51.100.{number}" for number in range(1, 7)]


# Not the tests' settings, which replace the other variables and the hash of passwords.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "TRUSTED_PROXIES": "1",
    "LOGIN_THROTTLE": "10/min",
}


@pytest.fixture
def site(db: None, settings: Any) -> Iterator[RunningSite]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    get_user_model().objects.create_superuser("ada", "ada@example.org", PASSWORD)
    with running_site(workers=2, **PRODUCTION) as site:
        yield site


def sign_in(site: Site, address: str, password: str = PASSWORD) -> int:
    body = {"username": "ada", "password": password}
    headers = {"X-Forwarded-For": address}
    answer = httpx.post(f"{site.base}/api/token/", json=body, headers=headers, timeout=60)
    return answer.status_code


def sign_in_to_the_admin(site: Site, address: str, password: str = PASSWORD) -> int:
    with httpx.Client(headers={"X-Forwarded-For": address}, timeout=60) as browser:
        page = browser.get(f"{site.base}/admin/login/")
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert found, page.text
        form = {"username": "ada", "password": password, "csrfmiddlewaretoken": found[1]}
        return browser.post(f"{site.base}/admin/login/?next=/admin/", data=form).status_code


class Guesser:
    """Wrong passwords for one account, from another network each, at the API and at the admin."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._numbers = count()
        self._over = threading.Event()
        self.answers: Counter[tuple[str, int]] = Counter()

    @contextmanager
    def guessing(self) -> Iterator[None]:
        began = time.monotonic()
        threads = [threading.Thread(target=self._guess, args=(began,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _guess(self, began: float) -> None:
        doors: Any = (("api", sign_in), ("admin", sign_in_to_the_admin))
        while not self._over.is_set():
            number = next(self._numbers)
            time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
            name, door = doors[number % 2]
            address = f"10.{number // 250 % 250}.{number % 250}.1"
            self.answers[name, door(self._site, address, "wrong")] += 1


def first_refused(site: Site, places: list[str]) -> str:
    """
    Return the first place from which the owner is refused.

    Every six seconds the count of the account has room for one attempt. The guesser takes it nearly
    always, but a new place may be first.
    """
    return next(place for place in places if sign_in(site, place) == 429)


def test_the_owner_staff_and_whom_an_operator_admits_get_in(site: RunningSite) -> None:
    assert sign_in(site, HOME) == 200
    assert sign_in_to_the_admin(site, HOME) == 302
    guesser = Guesser(site)
    with guesser.guessing():
        eventually(lambda: guesser.answers["api", 429] > 10 and guesser.answers["admin", 429] > 10)
        assert [sign_in(site, HOME) for _ in range(TIMES)] == [200] * TIMES
        assert [sign_in_to_the_admin(site, HOME) for _ in range(TIMES)] == [302] * TIMES
        admitted = first_refused(site, NEW_PLACES[:3])
        done = manage("admit", "ada", "--address", admitted, **PRODUCTION)
        assert done.returncode == 0, done.stderr
        assert sign_in(site, admitted) == 200
        new_place = first_refused(site, NEW_PLACES[3:])
    began = time.monotonic()
    eventually(lambda: sign_in(site, new_place) == 200, seconds=120)
    waited = time.monotonic() - began
    print(f"A new place got in {waited:.0f} s after the pause. {guesser.answers}")  # noqa: T201
