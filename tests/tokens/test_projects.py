"""The app works in other projects, each run in its own process."""

import shutil
from pathlib import Path

from tests.support.processes import ROOT, run_project
from tokens.apps import OPTIONAL


def test_the_app_serves_a_project_that_has_little_else() -> None:
    done = run_project("tests.projects.bare")
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
    left_out = shutil.ignore_patterns("__pycache__", *OPTIONAL)
    (project / "apps").mkdir()
    (project / "apps/__init__.py").touch()
    shutil.copytree(ROOT / "tokens", project / "apps/tokens", ignore=left_out)
    done = run_project("project", PYTHONPATH=str(tmp_path))
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
    assert not any((project / "apps/tokens" / name).exists() for name in OPTIONAL)


def test_the_app_works_under_another_label() -> None:
    done = run_project("tests.projects.another_label")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
