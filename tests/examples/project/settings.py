import os
from pathlib import Path

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "project.urls"
# The files of the app ``live``, without collectstatic.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
# A cache that the process of the tests shares.
CACHE_FOLDER = Path(os.environ.get("CACHE_FOLDER", "/nonexistent"))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(CACHE_FOLDER),
    }
}
# What a server logs by itself: the log of this project leaves queries out, and others do not.
LOGGING_CONFIG = None
