"""The wheel is the app, whole and alone; the page of the index leads nowhere that it lacks."""

import email
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import tokens
from tests.package.conftest import Distribution, run
from tests.package.page import PAGE, ROOT

INFO = f"django_latchkey-{tokens.__version__}.dist-info/"


def files_of(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def app_in_repository() -> set[str]:
    """Return the files that belong to the app: all that git knows or would add."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "tokens")
    return {name for name in listed.splitlines() if (ROOT / name).exists()}


def test_the_wheel_has_each_file_of_the_app_and_nothing_else(distribution: Distribution) -> None:
    files = files_of(distribution.wheel)
    expected = app_in_repository()
    assert {name for name in files if not name.startswith(INFO)} == expected
    assert all(files[name] == (ROOT / name).read_bytes() for name in expected)
    for kind in (
        "py.typed",
        "templates/tokens/login.html",
        "static/tokens/pages.js",
        "migrations/0001_initial.py",
        "locale/de/LC_MESSAGES/django.mo",
        "locale/pt_BR/LC_MESSAGES/django.mo",
    ):
        assert f"tokens/{kind}" in files
    assert f"{INFO}licenses/LICENSE" in files


def test_the_source_distribution_builds_the_same_wheel(
    distribution: Distribution, tmp_path: Path
) -> None:
    with tarfile.open(distribution.source) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "-o", tmp_path, cwd=folder)
    (wheel,) = tmp_path.glob("*.whl")
    assert files_of(wheel) == files_of(distribution.wheel)


def test_the_wheel_can_be_built_from_the_folder_alone_as_pip_does(tmp_path: Path) -> None:
    """In an environment that has only what [build-system] names (case P2)."""
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ".")
    (wheel,) = tmp_path.iterdir()
    assert wheel.name == f"django_latchkey-{tokens.__version__}-py3-none-any.whl"


def test_an_index_takes_both(distribution: Distribution) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", distribution.wheel, distribution.source)
    run(sys.executable, "-m", "check_wheel_contents", distribution.wheel)


def test_the_page_of_the_index_leads_only_where_it_can(distribution: Distribution) -> None:
    metadata = email.message_from_bytes(files_of(distribution.wheel)[f"{INFO}METADATA"])
    page = metadata.get_payload()
    assert isinstance(page, str)
    assert page.startswith("# Latchkey\n")
    assert "pip install django-latchkey" in page
    assert [to for to in re.findall(r"\]\(([^)]*)\)", page) if not to.startswith("https:")] == []
    with tarfile.open(distribution.source) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    named = set(re.findall(r"`((?:docs/[\w/.-]+|[A-Z]+)\.md|LICENSE)`", page))
    assert len(named) > 10
    assert named <= packed


def test_the_page_has_each_extra(distribution: Distribution) -> None:
    metadata = email.message_from_bytes(files_of(distribution.wheel)[f"{INFO}METADATA"])
    table = PAGE.read_text().partition("| extra |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1].strip(" `") for line in table.splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(metadata.get_all("Provides-Extra", []))


def test_the_version_is_that_of_the_changelog() -> None:
    newest = re.search(r"^## ([\w.]+) - ", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest
    assert newest[1] == tokens.__version__
    tracked = subprocess.run(
        # The packages in clients/ are distributions with versions of their own.
        ["git", "grep", "-lF", tokens.__version__, "--", "*.py", "*.toml", ":!clients"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert tracked.stdout.split() == ["tokens/__init__.py"]
