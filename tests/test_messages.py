"""``make lint-messages`` and ``make messages``, on a project of three files."""

import shutil
from pathlib import Path

import pytest

from tests import messages
from tests.support.catalogues import LANGUAGES, path_of, read

pytestmark = [
    pytest.mark.skipif(
        shutil.which("xgettext") is None,
        reason="GNU gettext is not installed (apt install gettext)",
    ),
    pytest.mark.slow,
]

PYTHON = 'from django.utils.translation import gettext as _\n_("Hello %(name)s")\n'
PAGE = '{% load i18n %}{% translate "Sessions" %}'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose catalogues are complete."""
    (tmp_path / "accounts").mkdir()
    (tmp_path / "tokens" / "templates").mkdir(parents=True)
    (tmp_path / "accounts" / "models.py").write_text("")
    (tmp_path / "tokens" / "errors.py").write_text(PYTHON)
    (tmp_path / "tokens" / "templates" / "page.html").write_text(PAGE)
    messages.main("--write", root=tmp_path)
    for path in catalogues(tmp_path):
        translate(path, "Hello %(name)s", "Guten Tag %(name)s")
        translate(path, "Sessions", "Sitzungen")
    assert messages.main("--write", root=tmp_path) == 0
    return tmp_path


def catalogues(root: Path) -> list[Path]:
    return [path_of("tokens", language, root=root) for language in LANGUAGES]


def translate(path: Path, text: str, translation: str) -> None:
    before = path.read_text()
    assert f'msgid "{text}"\nmsgstr ""' in before
    after = before.replace(f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{translation}"')
    path.write_text(after)


def test_complete_catalogues_pass_and_stay_as_they_are(project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*.?o")}
    assert len(before) == 2 * len(LANGUAGES)
    assert messages.main(root=project) == 0
    assert messages.main("--write", root=project) == 0
    assert {path: path.read_bytes() for path in project.rglob("*.?o")} == before


def test_an_app_without_strings_needs_no_catalogue(project: Path) -> None:
    assert not (project / "accounts" / "locale").exists()


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("errors.py", PYTHON + '_("Bye")\n', "'Bye' is missing."),
        ("errors.py", "", "'Hello %(name)s' is in no code."),
        (
            "templates/page.html",
            PAGE + '{% translate "Bye" context "x" %}',
            "'Bye' (x) is missing.",
        ),
        ("mail.txt", '{% load i18n %}{% translate "Dear" %}', "'Dear' is missing."),
    ],
)
def test_a_change_of_a_text_fails_until_it_is_written(
    project: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, fault: str
) -> None:
    (project / "tokens" / file).write_text(text)
    assert messages.main(root=project) == 1
    assert f"tokens/locale/de/LC_MESSAGES/django.po: {fault}\n" in capsys.readouterr().out
    messages.main("--write", root=project)
    assert "missing" not in capsys.readouterr().out
    # A text that is gone is gone from the catalogue too.
    assert ("Hello %(name)s" in {entry.text for entry in read(catalogues(project)[0])}) == bool(
        text != ""
    )


def test_a_translation_with_another_placeholder_fails(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogues(project)[0]
    path.write_text(path.read_text().replace("Guten Tag %(name)s", "Guten Tag %(nom)s"))
    with pytest.raises(SystemExit, match=r"name|nom"):
        messages.main(root=project)


def test_a_translation_that_was_not_compiled_fails(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogues(project)[0]
    path.write_text(path.read_text().replace("Sitzungen", "Sessions"))
    assert messages.main(root=project) == 1
    assert "its .mo file has other translations." in capsys.readouterr().out


def test_without_gettext_it_says_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert messages.main(root=project) == 1
    assert "apt install gettext" in capsys.readouterr().out
