"""A project of somebody else tests itself with ``tokens.testing``, in a pytest of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import PATIENCE, ROOT

# Their databases are SQLite's, whatever that of the tests is.
pytestmark = pytest.mark.projects

PAGE = (ROOT / "docs/testing.md").read_text()
# The examples of the page, each with the name of its file in the first line.
EXAMPLES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL))
SUITES = ROOT / "tests/projects/testing"
CONFTEST = 'pytest_plugins = ["tokens.testing.fixtures"]\n'
SETTINGS = "tests.projects.testing.settings"


class Project:
    """A folder with tests, and the environment in which they run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "FOLDER": str(folder),
            "COVERAGE_RCFILE": str(ROOT / "pyproject.toml"),
        }
        (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        (folder / "conftest.py").write_text(CONFTEST)

    def take(self, suite: str) -> None:
        shutil.copy(SUITES / f"suite_{suite}.py", self.folder / f"test_{suite}.py")

    def run(self, *command: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self.environment | changes,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def passes(self, *options: str, **changes: str) -> int:
        """Run pytest, and return how many tests passed. Fails if any did not."""
        done = self.run("pytest", "-q", "-p", "no:cacheprovider", *options, **changes)
        assert done.returncode == 0, done.stdout + done.stderr
        counted = re.search(r"^(\d+) passed\b", done.stdout, re.MULTILINE)
        assert counted is not None, done.stdout
        return int(counted[1])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def number_of_tests(source: str) -> int:
    return len(re.findall(r"^ *def test_", source, re.MULTILINE))


@pytest.mark.parametrize("by_option", [False, True], ids=["conftest", "option"])
def test_the_examples_of_the_page_pass(project: Project, by_option: bool) -> None:
    assert len(EXAMPLES) == 5
    for name, source in EXAMPLES.items():
        (project.folder / name).write_text(source)
    options: tuple[str, ...] = ()
    if by_option:
        # pytest loads the fixtures before pytest-django configures the settings.
        options = ("-p", "tokens.testing.fixtures")
        conftest = EXAMPLES["conftest.py"].replace(CONFTEST, "")
        (project.folder / "conftest.py").write_text(conftest)
    assert project.passes(*options) == sum(map(number_of_tests, EXAMPLES.values())) == 10


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ((), "strict"),
        ((), "snapshot"),
        (("--nomigrations",), "strict"),
        (("-n", "2"), "strict"),
    ],
    ids=["plain", "snapshot", "nomigrations", "xdist"],
)
def test_tests_within_transactions_and_with_flushes(
    project: Project, options: tuple[str, ...], mode: str
) -> None:
    project.take("pytest")
    assert project.passes(*options, "-k", "not restored", DENYLIST_MODE=mode) == 30


@pytest.mark.parametrize(
    "options", [(), ("--nomigrations",), ("-n", "2")], ids=["plain", "nomigrations", "xdist"]
)
def test_tests_with_serialized_rollback(project: Project, options: tuple[str, ...]) -> None:
    project.take("pytest")
    assert project.passes(*options, "-k", "restored") == 10


@pytest.mark.parametrize("options", [(), ("--nomigrations",)], ids=["plain", "nomigrations"])
def test_test_cases_of_django_under_pytest(project: Project, options: tuple[str, ...]) -> None:
    project.take("unittest")
    assert project.passes(*options) == 15


@pytest.mark.parametrize("options", [(), ("--parallel", "2")], ids=["plain", "parallel"])
def test_test_cases_of_django_under_its_own_runner(
    project: Project, options: tuple[str, ...]
) -> None:
    project.take("unittest")
    (project.folder / "conftest.py").unlink()
    done = project.run("django", "test", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ran 15 tests" in done.stderr


def test_a_database_is_reused_with_its_key(project: Project) -> None:
    project.take("pytest")
    # Tests in a transaction leave the database as it was created, with its key.
    only = ("-k", "signs_in and transaction")
    passed = project.passes("--reuse-db", *only)
    assert passed > 0
    assert project.passes("--reuse-db", *only) == passed
    other = {"SECRET_OF_TESTS": "another-secret-of-the-tests-0123456789-abcdefgh"}
    refused = project.run("pytest", "-q", "--reuse-db", *only, **other)
    assert refused.returncode == 1
    assert "TOKENS_SECRET" in refused.stdout
    assert project.passes("--create-db", *only, **other) == passed


def test_other_packages_that_replace_the_time(project: Project) -> None:
    project.take("other_clocks")
    assert project.passes() == 4
