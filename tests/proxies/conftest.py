from collections.abc import Iterator

import pytest

from tests.faults.conftest import PASSWORD
from tests.support.processes import RunningSite, manage, running_site
from tests.support.web_proxies import HOST

__all__ = ["PASSWORD"]

CREATE_BOB = (
    "from django.contrib.auth import get_user_model as model\n"
    f"model().objects.create_user('bob', password={PASSWORD!r})"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/proxies/" in item.path.as_posix():
            item.add_marker(pytest.mark.services)


@pytest.fixture(scope="package")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a database with the administrator ada and the user bob."""
    url = f"sqlite:///{tmp_path_factory.mktemp('site')}/db.sqlite3"
    for words in (
        ("migrate", "-v0"),
        ("createsuperuser", "--noinput", "--username=ada", "--email=ada@example.org", "-v0"),
        ("shell", "-v0", "-c", CREATE_BOB),
    ):
        done = manage(*words, **production(url), DJANGO_SUPERUSER_PASSWORD=PASSWORD)
        assert done.returncode == 0, done.stderr
    return url


@pytest.fixture(scope="package")
def site(database_url: str) -> Iterator[RunningSite]:
    """Run the site as in production behind one proxy."""
    with running_site(workers=2, **production(database_url)) as site:
        yield site


def production(database_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        # Not the tests' settings, which replace the variables below.
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "HTTPS": "true",
        "TRUSTED_PROXIES": "1",
        "ALLOWED_HOSTS": f"{HOST},127.0.0.1",
        "LOGIN_THROTTLE": "10/hour",
    }
