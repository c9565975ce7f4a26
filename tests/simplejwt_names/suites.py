"""
Run the test suites of other packages with the import name rest_framework_simplejwt provided here.

``python -m tests.simplejwt_names.suites`` downloads the sdists with pip, and ``python -m tests.simplejwt_names.suites
simplejwt path/to/sdist`` runs one that is there already. Nothing of them is kept. Each suite runs in a
process of its own, with its own settings and this project's apps in front. The exit status is 1 unless
exactly the tests in ``expected`` fail.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.simplejwt_names.expected import SUITES, Suite
from tests.support.processes import ROOT

PLUGIN = Path(__file__).resolve().parent / "plugin"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]


def run(suite: Suite, sdist: Path, folder: Path) -> dict[str, str]:
    """Return the outcome of each test."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (top,) = (path for path in folder.iterdir() if (path / "PKG-INFO").exists())
    also = folder / "also"
    if suite.also:
        subprocess.run(
            [*PIP, "install", "--no-deps", "--target", str(also), *suite.also], check=True
        )
    outcomes = folder / "outcomes.json"
    path = [PLUGIN, top / suite.folder, top, Path(ROOT), also]
    settings = {"DJANGO_SETTINGS_MODULE": suite.settings} if suite.settings else {}
    inherited = {name: value for name, value in os.environ.items() if name not in _OWN}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "latchkey_suite", "-p", "no:cacheprovider",
         "--rootdir", ".", *suite.files],
        cwd=top / suite.folder,
        env={
            **inherited,
            **settings,
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "LATCHKEY_OUTCOMES": str(outcomes),
        },
        check=False,
    )  # fmt: skip
    found: dict[str, str] = json.loads(outcomes.read_text())
    return found


_OWN = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH"}


def differences(suite: Suite, outcomes: dict[str, str]) -> list[str]:
    """Return what is not as the list says."""
    failed = {name for name, outcome in outcomes.items() if outcome != "passed"}
    failed -= suite.network.keys()
    found = [f"{name} fails, and is not in the list." for name in failed - suite.failing.keys()]
    found += [
        f"{name} passes, although it is in the list." for name in suite.failing.keys() - failed
    ]
    if len(outcomes) != suite.total:
        found.append(f"{len(outcomes)} tests ran, not {suite.total}.")
    return sorted(found)


def download(suite: Suite, folder: Path) -> Path:
    command = [*PIP, "download", "--no-deps", "--no-binary", ":all:", "-d", str(folder)]
    subprocess.run([*command, suite.requirement], check=True)
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the test suites of other packages.")
    parser.add_argument("suite", nargs="?", choices=SUITES, help="by default all")
    parser.add_argument("sdist", nargs="?", type=Path, help="its .tar.gz, by default from pip")
    asked = parser.parse_args()
    status = 0
    for name in [asked.suite] if asked.suite else SUITES:
        suite = SUITES[name]
        with tempfile.TemporaryDirectory() as folder:
            sdist = asked.sdist or download(suite, Path(folder))
            outcomes = run(suite, sdist, Path(folder))
        passed = sum(outcome == "passed" for outcome in outcomes.values())
        print(f"{suite.requirement}: {passed} of {suite.total} pass.")
        for difference in differences(suite, outcomes):
            print(f"  {difference}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
