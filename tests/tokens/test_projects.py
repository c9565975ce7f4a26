"""The app works in other projects, each run in its own process."""

import json
import shutil
from pathlib import Path

import pytest

from tests.projects.defaults import variants
from tests.support.processes import ROOT, run_project
from tokens import OPTIONAL, OPTIONAL_APPS

# Their databases are SQLite's, whatever that of the tests is.
pytestmark = pytest.mark.projects


def test_the_app_serves_a_project_that_has_little_else() -> None:
    done = run_project("tests.projects.bare")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


def test_the_app_works_without_the_optional_packages() -> None:
    done = run_project("tests.projects.undescribed")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


def test_the_app_works_at_another_dotted_path(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "tests/projects/another_path", project)
    (project / "apps").mkdir()
    (project / "apps/__init__.py").touch()
    (project / "apps/tokens").symlink_to(ROOT / "tokens")
    done = run_project("project", PYTHONPATH=str(tmp_path))
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


def test_the_app_works_without_a_package_that_not_everybody_needs(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "tests/projects/another_path", project)
    packages = (*OPTIONAL, *OPTIONAL_APPS, "asgi")
    left_out = shutil.ignore_patterns("__pycache__", *packages)
    (project / "apps").mkdir()
    (project / "apps/__init__.py").touch()
    shutil.copytree(ROOT / "tokens", project / "apps/tokens", ignore=left_out)
    done = run_project("project", PYTHONPATH=str(tmp_path))
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
    assert not any((project / "apps/tokens" / name).exists() for name in packages)


def test_the_app_works_under_another_label() -> None:
    done = run_project("tests.projects.another_label")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


@pytest.mark.parametrize("users", ["ByUUID", "ByNumber", "ByAmount", "ByPerson", "ByEmail"])
def test_users_sign_in_by_the_username_field_of_any_user_model(users: str) -> None:
    done = run_project("tests.projects.other_names", USER_MODEL=users)
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


def test_every_view_answers_the_same_with_other_defaults_of_the_project() -> None:
    """In one process for each project, because DRF reads its defaults when it is imported."""
    done = run_project("tests.projects.defaults")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    expected = found[variants.PLAIN]
    assert len(expected) > 90
    assert not {name: answer for name, answer in expected.items() if answer[0] >= 500}
    differences = {
        (variant, door): (expected[door], answer)
        for variant, answers in found.items()
        for door, answer in answers.items()
        if answer != expected[door] and not variants.is_meant_to_differ(variant, door)
    }
    assert not differences


def test_the_openapi_document_is_valid_beside_names_like_the_apps() -> None:
    done = run_project("tests.projects.own_schema")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


def test_the_app_works_while_the_debug_toolbar_records_its_queries() -> None:
    done = run_project("tests.projects.debug_toolbar")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr


@pytest.mark.parametrize(
    ("site", "brand", "in_mail"),
    [
        ("setting", ["Acme & Sons", "/shop/"], "Acme & Sons"),
        ("sites", ["example.com", "/"], "example.com"),
        ("host", ["api.acme.example", ""], "acme.example"),
    ],
)
def test_every_page_has_the_projects_name_and_leads_to_its_pages(
    site: str, brand: list[str], in_mail: str
) -> None:
    done = run_project("tests.projects.branded", SITE=site)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert min(found.pop("pages")) > 25
    assert found == {
        "missing": [],
        "failed": [],
        "brands": [brand],
        "branded": [],
        "mail": [f"{in_mail}: sign-in on a new device"],
        "branded mail": [],
    }


@pytest.mark.parametrize("mode", ["strict", "snapshot"])
def test_tenants_with_a_database_each_have_nothing_in_common(mode: str, tmp_path: Path) -> None:
    done = run_project("tests.projects.two_databases", MODE=mode, FOLDER=str(tmp_path))
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
