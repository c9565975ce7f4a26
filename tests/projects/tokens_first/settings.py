from tests.projects.with_admin import *  # noqa: F403

ROOT_URLCONF = "tests.projects.tokens_first.urls"
INSTALLED_APPS = [
    "tokens",
    "django.contrib.admin",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = OTHER_MIDDLEWARE  # noqa: F405
