"""``tokens`` in a project without the admin and without anything else of this one's."""

from tests.support.processes import run_project


def test_the_app_serves_a_project_that_has_little_else() -> None:
    done = run_project("tests.projects.bare")
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
