from tests.settings import *  # noqa: F403

INSTALLED_APPS = [
    name if name != "accounts" else "tests.projects.other_users"
    for name in INSTALLED_APPS  # noqa: F405
]
AUTH_USER_MODEL = "other_users.Member"
DATABASES = {
    alias: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"file:{alias}?mode=memory&cache=shared",
    }
    for alias in ("default", "other")
}
DATABASE_ROUTERS = ["tests.projects.other_users.router.Router"]
