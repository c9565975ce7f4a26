"""
Projects of other people that join the app by the code blocks of docs/installing.md.

Each function writes a project into a folder, as its author has it before joining, and appends the
blocks to its files. Nothing here knows what is in the blocks.
"""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.package.conftest import run
from tests.package.page import block
from tests.support.processes import PATIENCE, Site

SECRET = "a-secret-of-a-foreign-project-that-is-long-enough-0123456789"
PASSWORD = "correct horse battery staple"

VIEW = """
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class WhoAmI(APIView):
    permission_classes = [IsAuthenticated]

    def get(self, request, **kwargs):
        return Response({"user": request.user.get_username()})
"""
ROUTE = """
from whoami import WhoAmI

urlpatterns += [path("whoami/", WhoAmI.as_view())]
"""
EMAIL_USERS = '''
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models


class UserManager(BaseUserManager):
    use_in_migrations = True

    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """As cookiecutter-django writes it for sign-ins by e-mail address."""

    name = models.CharField("Name of User", blank=True, max_length=255)
    first_name = None
    last_name = None
    email = models.EmailField("email address", unique=True)
    username = None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()
'''


@dataclass
class Project:
    folder: Path
    python: Path
    settings_module: str = "mysite.settings"
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def append(self, path: str, text: str) -> None:
        with (self.folder / path).open("a") as file:
            file.write("\n" + text)

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def manage(self, *words: str, **changes: str) -> str:
        return run(
            self.python, "manage.py", *words, cwd=self.folder, **self._environment(), **changes
        )

    def set_up(self) -> None:
        """Migrate, and create the user ada."""
        self.manage("migrate", "--verbosity=0")
        self.manage(
            "createsuperuser",
            "--noinput",
            DJANGO_SUPERUSER_USERNAME="ada",
            DJANGO_SUPERUSER_EMAIL="ada@example.org",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )

    def deploy_messages(self) -> set[str]:
        """Return the ids of what the checks of the app report before a deployment."""
        return set(re.findall(r"\((tokens\.\w+)\)", self.manage("check", "--deploy")))

    @contextmanager
    def served(self) -> Iterator[Site]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        log = self.folder / "server.log"
        with log.open("wb") as printed:
            process = subprocess.Popen(
                [str(self.python), "manage.py", "runserver", "--noreload", address],
                cwd=self.folder,
                env={**os.environ, **self._environment()},
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
        try:
            site, deadline = Site(int(address.rpartition(":")[2])), time.monotonic() + PATIENCE
            while not _answers(site):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield site
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)

    def _environment(self) -> dict[str, str]:
        return {
            "DJANGO_SETTINGS_MODULE": self.settings_module,
            "TOKENS_SECRET": SECRET,
            **self.environment,
        }


def _answers(site: Site) -> bool:
    try:
        return site.ask("/whoami/").status > 0
    except OSError:
        return False


def new(folder: Path, python: Path) -> Project:
    """Return a project as startproject writes it, with a fast hasher and a view of its own."""
    run(python, "-m", "django", "startproject", "mysite", folder)
    project = Project(folder, python)
    project.append(
        "mysite/settings.py",
        'PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]\n',
    )
    project.write("whoami.py", VIEW)
    return project


def join(project: Project, *, settings: str = "settings.py", urls: str = "urls.py") -> Project:
    """Append two blocks of the page, and the project's own view."""
    project.append("mysite/settings.py", block(settings))
    project.append("mysite/urls.py", block(urls) + ROUTE)
    return project


def with_default_users(folder: Path, python: Path) -> Project:
    return join(new(folder, python))


def with_optional_lines(folder: Path, python: Path) -> Project:
    project = join(new(folder, python))
    for name in ("settings.py, optional", "settings.py, on SQLite"):
        project.append("mysite/settings.py", block(name))
    project.append("mysite/urls.py", block("urls.py, optional"))
    return project


def with_email_users(folder: Path, python: Path) -> Project:
    project = new(folder, python)
    project.write("people/__init__.py", "")
    project.write("people/models.py", EMAIL_USERS)
    project.append(
        "mysite/settings.py", 'INSTALLED_APPS += ["people"]\nAUTH_USER_MODEL = "people.User"\n'
    )
    join(project)
    project.manage("makemigrations", "people", "--verbosity=0")
    return project


def with_atomic_requests(folder: Path, python: Path) -> Project:
    project = new(folder, python)
    project.append("mysite/settings.py", 'DATABASES["default"]["ATOMIC_REQUESTS"] = True\n')
    return join(project)


def with_versions_in_a_namespace(folder: Path, python: Path) -> Project:
    project = join(new(folder, python), urls="urls.py, below a version and in a namespace")
    project.append(
        "mysite/settings.py",
        'REST_FRAMEWORK["DEFAULT_VERSIONING_CLASS"] = '
        '"rest_framework.versioning.URLPathVersioning"\n'
        'REST_FRAMEWORK["ALLOWED_VERSIONS"] = ["v1", "v2"]\n'
        'REST_FRAMEWORK["DEFAULT_VERSION"] = "v1"\n',
    )
    return project


def with_several_databases(folder: Path, python: Path) -> Project:
    project = new(folder, python)
    project.write("reports/__init__.py", "")
    project.write(
        "reports/models.py",
        "from django.db import models\n\n\nclass Report(models.Model):\n"
        "    title = models.CharField(max_length=100)\n",
    )
    project.write("mysite/routers.py", block("routers.py"))
    project.append(
        "mysite/settings.py",
        'INSTALLED_APPS += ["reports"]\n'
        'DATABASES["reports"] = {**DATABASES["default"], "NAME": BASE_DIR / "reports.sqlite3"}\n'
        'DATABASE_ROUTERS = ["mysite.routers.ReportsRouter"]\n',
    )
    join(project)
    project.manage("makemigrations", "reports", "--verbosity=0")
    return project


def with_an_app_of_the_same_label(folder: Path, python: Path) -> Project:
    """The project has blog/tokens with the label "tokens", and a table of its own there."""
    project = new(folder, python)
    project.write("blog/__init__.py", "")
    project.write("blog/tokens/__init__.py", "")
    project.write(
        "blog/tokens/models.py",
        "from django.db import models\n\n\nclass Session(models.Model):\n"
        "    speaker = models.CharField(max_length=100)\n",
    )
    project.append("mysite/settings.py", 'INSTALLED_APPS += ["blog.tokens"]\n')
    project.write("mysite/latchkey.py", block("latchkey.py"))
    join(project, settings="settings.py, under another label")
    project.manage("makemigrations", "tokens", "--verbosity=0")
    return project
