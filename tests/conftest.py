import gc
import sys
from collections.abc import Iterator
from typing import Any

import asgiref.sync
import hypothesis
import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.utils import translation
from rest_framework.test import APIClient

# Each test begins like a new process, and none has a thread that writes what was seen.
pytest_plugins = ["tokens.testing.fixtures"]

# On a busy machine an example may take any time.
hypothesis.settings.register_profile("without a deadline", deadline=None)
hypothesis.settings.load_profile("without a deadline")

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True, scope="session")
def _contexts_are_restored_without_collecting() -> Iterator[None]:
    """
    Let no garbage be collected while asgiref sets context variables, before Python 3.12.

    Python 3.11 crashes if what is collected meanwhile sets one too (python/cpython#148891).
    """
    if sys.version_info >= (3, 12):
        yield
        return
    restore = asgiref.sync._restore_context

    def restore_without_collecting(context: Any) -> None:
        gc.disable()
        try:
            restore(context)
        finally:
            gc.enable()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asgiref.sync, "_restore_context", restore_without_collecting)
        yield


@pytest.fixture(autouse=True)
def _language_of_the_site() -> Iterator[None]:
    """Forget the language of a test's last request, which a thread keeps until the next one."""
    yield
    translation.deactivate()


@pytest.fixture
def own_cache(settings: Any) -> None:
    """Give the test an empty cache that no other process shares, and that it may clear."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend}}
    cache.clear()


@pytest.fixture
def user(db: None) -> Any:
    return get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def signed_in(api: APIClient, user: Any) -> dict[str, Any]:
    """Return the body of the answer to a sign-in of ``user``."""
    answer = api.post("/api/token/", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())
