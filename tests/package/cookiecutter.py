"""A project that is laid out as cookiecutter-django writes it, and joins the app."""

from pathlib import Path

from tests.package.page import block
from tests.package.projects import EMAIL_USERS, ROUTE, Project, new


def like_cookiecutter_django(folder: Path, python: Path) -> Project:
    """
    Settings in config/settings/, apps in a folder, users by e-mail address, ATOMIC_REQUESTS.

    The layout and the values are those of cookiecutter-django; packages that have nothing to do with
    the app are left out.
    """
    project = new(folder, python)
    project.settings_module = "config.settings.local"
    project.replace("manage.py", "mysite.settings", "config.settings.local")
    base = (folder / "mysite/settings.py").read_text()
    urls = (folder / "mysite/urls.py").read_text()
    for name in ("config/__init__.py", "config/settings/__init__.py", "mysite/users/__init__.py"):
        project.write(name, "")
    base = base.replace("mysite.urls", "config.urls").replace(
        "mysite.wsgi.application", "config.wsgi.application"
    )
    base = base.replace("parent.parent", "parent.parent.parent").replace("DEBUG = True", "")
    project.write("config/settings/base.py", base + COOKIECUTTER_BASE)
    project.write("config/settings/local.py", "from .base import *\n\nDEBUG = True\n")
    (folder / "mysite/wsgi.py").rename(folder / "config/wsgi.py")
    project.write("config/api_router.py", COOKIECUTTER_ROUTER)
    project.write(
        "config/urls.py",
        urls.replace("import path", "import include, path")
        + 'urlpatterns += [path("api/", include("config.api_router"))]\n',
    )
    for name in ("mysite/settings.py", "mysite/urls.py"):
        (folder / name).unlink()
    project.write("mysite/users/apps.py", COOKIECUTTER_APP)
    project.write("mysite/users/models.py", EMAIL_USERS)
    project.write("mysite/users/migrations/__init__.py", "")
    project.append("config/settings/base.py", block("settings.py, with values of its own"))
    project.append("config/urls.py", block("urls.py") + ROUTE)
    project.manage("makemigrations", "users", "--verbosity=0")
    return project


COOKIECUTTER_BASE = """
DATABASES["default"]["ATOMIC_REQUESTS"] = True
INSTALLED_APPS += ["rest_framework", "rest_framework.authtoken", "mysite.users"]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_USER_MODEL = "users.User"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": (
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ),
    "DEFAULT_PERMISSION_CLASSES": ("rest_framework.permissions.IsAuthenticated",),
}
"""
COOKIECUTTER_APP = """
from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "mysite.users"
    verbose_name = "Users"
"""
COOKIECUTTER_ROUTER = """
from django.urls import path
from rest_framework.routers import DefaultRouter, SimpleRouter

from whoami import WhoAmI

router = SimpleRouter()
app_name = "api"
urlpatterns = [*router.urls, path("users/me/", WhoAmI.as_view())]
"""
