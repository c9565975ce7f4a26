"""``tokens`` in a project without the admin and without anything else of this one's."""

import os
import subprocess
import sys

from tests.processes import ROOT


def test_the_app_serves_a_project_that_has_little_else() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bare_project"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.bare_project.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr
