"""The app works in other projects, each run in its own process."""

import shutil
from pathlib import Path

from tests.support.processes import ROOT, run_project


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


def test_the_app_works_under_another_label() -> None:
    done = run_project("tests.projects.another_label")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
