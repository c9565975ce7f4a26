"""The settings of the site that ``asynchronous`` measures: one middleware, and no thread for it."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, LOGGING, SECRET_KEY

if "rest_framework_simplejwt" not in INSTALLED_APPS:
    INSTALLED_APPS += ["rest_framework_simplejwt"]
SIMPLE_JWT = {"SIGNING_KEY": SECRET_KEY}
MIDDLEWARE = ["tokens.middleware.TokensMiddleware"]
ROOT_URLCONF = "benchmarks.asynchronous_urls"
TOKENS_DENYLIST_MODE = os.environ.get("BENCH_DENYLIST_MODE", "strict")
for name in ("tokens", "django"):
    LOGGING["loggers"][name]["level"] = "ERROR"
LOGGING["loggers"]["uvicorn.access"] = {"level": "ERROR"}
