"""
Projects that install the wheel and follow docs/installing.md to the letter.

Each one runs in the empty environment, is served by runserver, and is asked over HTTP.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import tokens
from tests.package import cookiecutter, projects
from tests.package.conftest import Environment
from tests.package.page import block
from tests.package.projects import PASSWORD, Project
from tests.support.processes import Site

Build = Callable[[Path, Path], Project]

# What the five lines are for, as check --deploy reports it where one is missing.
LINES = {"tokens.E001", "tokens.W001", "tokens.W011", "tokens.W012", "tokens.W013", "tokens.W014"}


def sign_in_revoke_and_be_refused(
    site: Site, *, api: str = "/api/", name: str = "username", user: str = "ada"
) -> None:
    status, pair = site.post(f"{api}token/", **{name: user, "password": PASSWORD})
    assert status == 200, pair
    assert site.get("/whoami/", pair["access"]) == (200, {"user": user})
    assert site.get(f"{api}sessions/", pair["access"])[0] == 200
    status, newer = site.post(f"{api}token/refresh/", refresh=pair["refresh"])
    assert status == 200, newer
    assert site.get("/whoami/", newer["access"])[0] == 200
    assert site.post(f"{api}token/revoke/", token=newer["refresh"])[0] == 200
    for each in (pair, newer):
        assert site.get("/whoami/", each["access"])[0] == 401
        assert site.post(f"{api}token/refresh/", refresh=each["refresh"])[0] == 401
    refused = site.ask(f"{api}token/", body={name: user, "password": "wrong"})
    assert refused.status == 401


def test_a_plain_install_has_at_most_ten_distributions(environment: Environment) -> None:
    installed = environment.installed()
    assert installed["django-latchkey"] == tokens.__version__
    assert {"django", "djangorestframework", "pyjwt", "cryptography"} <= installed.keys()
    assert len(installed) <= 10, installed


def test_the_page_joins_a_project_by_five_lines_and_a_secret() -> None:
    """A line is a statement, without the imports that it needs."""
    lines = re.findall(r"^\w.*", block("settings.py") + block("urls.py"), re.M)
    statements = [line for line in lines if not line.startswith(("import ", "from "))]
    assert sum(line.startswith("TOKENS_SECRET") for line in statements) == 1
    assert len(statements) - 1 == 5


def test_a_new_project_with_the_five_lines_works(environment: Environment, tmp_path: Path) -> None:
    project = projects.with_default_users(tmp_path, environment.python)
    # So that no attempt is given back while a slow machine checks the others.
    project.append("mysite/settings.py", 'TOKENS_LOGIN_THROTTLE = "4/day"\n')
    assert not LINES & project.deploy_messages()
    project.set_up()
    with project.served() as site:
        sign_in_revoke_and_be_refused(site)
        assert "no-store" in _answer_to_a_token(site)
        # The backend and the middleware, at a view that is not the app's.
        statuses = [_sign_in_at_the_admin(site) for _ in range(10)]
        assert (statuses[0], statuses[-1]) == (200, 429)
    assert project.manage("makemigrations", "--check", "--dry-run")


def _answer_to_a_token(site: Site) -> str:
    pair = site.post("/api/token/", username="ada", password=PASSWORD)[1]
    return site.ask("/whoami/", raw_access=pair["access"]).headers["Cache-Control"]


def _sign_in_at_the_admin(site: Site) -> int:
    """Send the form of the admin's page with a wrong password, as a browser does."""
    from urllib.error import HTTPError
    from urllib.parse import urlencode
    from urllib.request import Request, urlopen

    with urlopen(f"{site.base}/admin/login/") as page:
        csrf = re.findall(r"csrftoken=(\w+)", page.headers["Set-Cookie"])[0]
    body = {"username": "ada", "password": "wrong", "csrfmiddlewaretoken": csrf}
    request = Request(
        f"{site.base}/admin/login/", urlencode(body).encode(), {"Cookie": f"csrftoken={csrf}"}
    )
    try:
        with urlopen(request) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize(
    ("build", "api", "name", "user"),
    [
        (projects.with_optional_lines, "/api/", "username", "ada"),
        (projects.with_email_users, "/api/", "email", "ada@example.org"),
        (cookiecutter.like_cookiecutter_django, "/api/", "email", "ada@example.org"),
        (projects.with_several_databases, "/api/", "username", "ada"),
        (projects.with_atomic_requests, "/api/", "username", "ada"),
        (projects.with_versions_in_a_namespace, "/api/v1/", "username", "ada"),
        (projects.with_an_app_of_the_same_label, "/api/", "username", "ada"),
    ],
)
def test_a_project_of_another_kind_works(
    environment: Environment, tmp_path: Path, build: Build, api: str, name: str, user: str
) -> None:
    project = build(tmp_path, environment.python)
    assert not LINES & project.deploy_messages()
    project.set_up()
    with project.served() as site:
        sign_in_revoke_and_be_refused(site, api=api, name=name, user=user)
        _HAS_MORE.get(build, _has_no_more)(project, site)


def _has_no_more(project: Project, site: Site) -> None:
    pass


def _answers_by_the_handler_and_publishes_keys(project: Project, site: Site) -> None:
    assert site.get("/.well-known/jwks.json") == (200, {"keys": []})


def _keeps_its_tables_apart(project: Project, site: Site) -> None:
    project.manage("migrate", "--database=reports", "--verbosity=0")
    tables = 'from django.db import connections as c; print(c["{}"].introspection.table_names())'
    in_reports = project.manage("shell", "-v0", "-c", tables.format("reports"))
    assert "reports_report" in in_reports
    assert "tokens_" not in in_reports
    in_default = project.manage("shell", "-v0", "-c", tables.format("default"))
    assert "tokens_session" in in_default
    assert "reports_report" not in in_default


def _has_its_own_tables_too(project: Project, site: Site) -> None:
    tables = "from django.db import connection as c; print(c.introspection.table_names())"
    found = project.manage("shell", "-v0", "-c", tables)
    assert "'latchkey_session'" in found
    assert "'tokens_session'" in found
    columns = (
        "from django.apps import apps; from blog.tokens.models import Session; "
        "print(Session._meta.db_table, Session.objects.count(), "
        'apps.get_model("latchkey", "Session").objects.count())'
    )
    assert "tokens_session 0 1" in project.manage("shell", "-v0", "-c", columns)


def _keeps_its_own_api(project: Project, site: Site) -> None:
    pair = site.post("/api/token/", email="ada@example.org", password=PASSWORD)[1]
    expected = (200, {"user": "ada@example.org"})
    assert site.get("/api/users/me/", pair["access"]) == expected


def _has_the_routes_in_the_namespace(project: Project, site: Site) -> None:
    address = (
        'from django.urls import reverse; print(reverse("auth:token_obtain_pair", args=["v2"]))'
    )
    assert "/api/v2/token/" in project.manage("shell", "-v0", "-c", address)


_HAS_MORE: dict[Build, Callable[[Project, Site], None]] = {
    projects.with_optional_lines: _answers_by_the_handler_and_publishes_keys,
    cookiecutter.like_cookiecutter_django: _keeps_its_own_api,
    projects.with_several_databases: _keeps_its_tables_apart,
    projects.with_versions_in_a_namespace: _has_the_routes_in_the_namespace,
    projects.with_an_app_of_the_same_label: _has_its_own_tables_too,
}
