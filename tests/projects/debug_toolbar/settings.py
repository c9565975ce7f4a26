from tests.projects.with_admin import *  # noqa: F403

DEBUG = True
INTERNAL_IPS = ["127.0.0.1"]
ROOT_URLCONF = "tests.projects.debug_toolbar.urls"
INSTALLED_APPS = [*OTHER_APPS, "debug_toolbar", "tokens"]  # noqa: F405
MIDDLEWARE = [
    "debug_toolbar.middleware.DebugToolbarMiddleware",
    *OTHER_MIDDLEWARE,  # noqa: F405
    "tokens.api.django_sessions.DjangoSessionMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
]
DEBUG_TOOLBAR_CONFIG = {"IS_RUNNING_TESTS": False, "SHOW_TOOLBAR_CALLBACK": lambda request: True}
