"""``manage.py`` reports an invalid setting in one sentence."""

import subprocess
import sys

from config.env import ROOT


def test_a_setting_that_makes_no_sense_is_a_sentence_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "list_keys"],
        cwd=ROOT,
        env={"SECRET_KEY": "short", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("SECRET_KEY has 5 characters, so it can be guessed.")
    assert "Traceback" not in done.stderr
