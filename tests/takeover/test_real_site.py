"""A small site of the real package is taken over; ``make takeover`` does it with a large one."""

from importlib.metadata import version
from pathlib import Path

import pytest

from .running import story

pytestmark = pytest.mark.projects


@pytest.mark.parametrize("variant", ["hs256", "rs256"])
def test_a_site_of_the_real_package_goes_on(tmp_path: Path, variant: str) -> None:
    assert version("djangorestframework-simplejwt") == "5.5.1"
    found = story(
        f"sqlite:///{tmp_path}/db.sqlite3",
        variant,
        users=50,
        parallel=2,
        forgeries=2,
        atomic=variant == "hs256",
    )
    assert found["refresh by 8: 200"] == 16
    assert found["refresh of one blacklisted: 401"] == 5
    assert found["call of one inactive: 401"] == found["call of one deleted: 401"] == 1
    assert len([name for name in found if name.startswith("forged")]) == 15
