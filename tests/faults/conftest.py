from collections.abc import Callable
from dataclasses import dataclass

from tests.support.processes import Answer, Site, manage
from tests.support.waiting import wait_until

PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    """A user who is signed in at a site, with the newest pair of tokens."""

    site: Site
    access: str
    refresh: str

    def calls(self) -> int:
        return self.site.ask("/api/me/", raw_access=self.access).status

    def refreshes(self) -> int:
        answer = self.site.ask("/api/token/refresh/", body={"refresh": self.refresh})
        if answer.status == 200:
            self.access, self.refresh = answer.json()["access"], answer.json()["refresh"]
        return answer.status


def set_up(database_url: str) -> None:
    """Create the tables and one user in the database at ``database_url``."""
    for words in (
        ("migrate", "-v0"),
        ("createsuperuser", "--noinput", "--username=ada", "--email=ada@example.org", "-v0"),
    ):
        done = manage(*words, DATABASE_URL=database_url, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
        assert done.returncode == 0, done.stderr


def create_people(database_url: str, names: list[str]) -> None:
    """Create users with these names, after ``set_up``."""
    code = (
        "from django.contrib.auth import get_user_model as model\n"
        f"for name in {names!r}: model().objects.create_user(name, password={PASSWORD!r})"
    )
    done = manage("shell", "-v0", "-c", code, DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr


def sign_in(site: Site, name: str = "ada") -> Person:
    answer = site.ask("/api/token/", body={"username": name, "password": PASSWORD})
    assert answer.status == 200, answer.body
    return Person(site, answer.json()["access"], answer.json()["refresh"])


def assert_unavailable(answer: Answer) -> None:
    """Assert that the answer is a 503 that says when to try again."""
    assert answer.status == 503, answer.body
    assert answer.headers["Retry-After"] == "5"


def eventually(state: Callable[[], bool], *, seconds: float = 20) -> None:
    """Do what ``wait_until`` does, with less patience."""
    wait_until(state, seconds=seconds)
