from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.examples.serving import Served, served


@pytest.fixture
def site(transactional_db: None, tmp_path: Path) -> Iterator[Served]:
    """Serve the project of the page. It sees only committed rows."""
    with served(tmp_path) as site:
        yield site


@pytest.fixture
def grace(transactional_db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("grace", "grace@example.org")
