"""The catalogues of translations are complete, and each says what its compiled file says."""

import re
from pathlib import Path

import django
import pytest
from django.utils import translation

from tests.support.catalogues import (
    LANGUAGES,
    ROOT,
    Entry,
    all_paths,
    compiled,
    compiled_faults,
    faults,
    read,
)

PATHS = [path for path in all_paths() if path.exists()]
NAMES = [str(path.relative_to(ROOT)) for path in PATHS]
DJANGO = ("conf", "contrib/admin", "contrib/auth")
GLOSSARY = (ROOT / "docs" / "languages.md").read_text()


def write(path: Path, *entries: str) -> Path:
    path.write_text("\n\n".join(['msgid ""\nmsgstr "Language: de\\n"', *entries]))
    return path


def test_every_app_with_strings_has_a_catalogue_for_each_language() -> None:
    assert len(PATHS) % len(LANGUAGES) == 0
    assert {"accounts", "tokens"} <= {name.partition("/locale/")[0] for name in NAMES}


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_every_text_is_translated_with_the_same_placeholders(path: Path) -> None:
    assert read(path)
    assert faults(path) == []


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_the_compiled_file_has_the_translations_of_its_source(path: Path) -> None:
    assert compiled_faults(path) == []


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_no_catalogue_has_dates_or_line_numbers(path: Path) -> None:
    assert not re.search(r"^#: |-Date:", path.read_text(), re.M)


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_text_has_one_translation_in_all_catalogues(language: str) -> None:
    found: dict[object, set[tuple[str, ...]]] = {}
    for path in PATHS:
        if f"/{language}/" in str(path):
            for entry in read(path):
                found.setdefault(entry.key, set()).add(tuple(entry.translations.values()))
    assert {key: texts for key, texts in found.items() if len(texts) > 1} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reader_sees_the_translation_of_this_app_and_not_that_of_another(language: str) -> None:
    """Of two apps with the same text, Django takes the first of INSTALLED_APPS."""
    seen = {}
    with translation.override(language.lower().replace("_", "-")):
        for path in PATHS:
            if f"/{language}/" not in str(path) or "simplejwt_names" in str(path):
                continue
            for entry in read(path):
                if entry.plural is None and entry.text not in texts_of_django(language):
                    text = translation.pgettext(entry.context or "", entry.text)
                    if not entry.context:
                        text = translation.gettext(entry.text)
                    if text != entry.translations[0]:
                        seen[entry.text] = text
    assert seen == {}


def texts_of_django(language: str) -> set[str]:
    """Return the texts that Django translates too. Whatever the order of the apps, they mean the same."""
    folders = (Path(django.__file__).parent / where for where in DJANGO)
    paths = [folder / "locale" / language / "LC_MESSAGES" / "django.mo" for folder in folders]
    return {text for path in paths for text in compiled(path) if isinstance(text, str)}


# What stands for another thing in the glossary, or speaks to the reader as to a friend.
FOREIGN = {
    "de": r"\b(?:du|dein\w*|dich|dir|einloggen|ausloggen|Session|User)\b(?! Auth)(?!-Agent)",
    "es": r"\b(?:tu|tus|tú|ordenador|iniciá|iniciar sesion|deslogue\w*|loguea\w*)\b",
    "fr": r"\b(?:tu|ton|tes|toi|login|logout|token|tokens)\b",
    "pt_BR": r"\b(?:tu|teu|tua|ficheiro|palavra-passe|utilizador\w*|iniciar sessão|terminar sessão)\b",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_those_of_the_glossary(language: str) -> None:
    texts = [
        text
        for path in PATHS
        if f"/{language}/" in str(path)
        for entry in read(path)
        for text in entry.translations.values()
    ]
    assert [text for text in texts if re.search(FOREIGN[language], text)] == []


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ('msgid "a"\nmsgstr ""', "'a' has no translation."),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] ""', "'a' has no translation."),
        ('#, fuzzy\nmsgid "a"\nmsgstr "b"', "'a' is fuzzy."),
        (
            'msgctxt "where"\nmsgid "%(n)s"\nmsgstr "%(m)s"',
            "'%(n)s' (where) has other placeholders in '%(m)s'.",
        ),
        ('msgid "{n}"\nmsgstr "n"', "'{n}' has other placeholders in 'n'."),
        ('msgid "100 %"\nmsgstr "%s"', "'100 %' has other placeholders in '%s'."),
        ('msgid "%(n)d"\nmsgstr "%(n)s"', "'%(n)d' has other placeholders in '%(n)s'."),
        (
            'msgid "%(n)s a"\nmsgid_plural "%(n)s b"\nmsgstr[0] "%(n)s c"\nmsgstr[1] "d"',
            "'%(n)s a' has other placeholders in 'd'.",
        ),
        ('msgid "\\na"\nmsgstr "b"', "'\\na' begins with a line break in one language only."),
    ],
)
def test_each_fault_of_a_translation_is_found(tmp_path: Path, entry: str, fault: str) -> None:
    sound = 'msgid "one %(n)s"\nmsgid_plural "%(n)s"\nmsgstr[0] "ein %(n)s"\nmsgstr[1] "%(n)s"'
    assert faults(write(tmp_path / "a.po", sound, entry)) == [fault]


def test_the_form_for_one_may_leave_the_number_out(tmp_path: Path) -> None:
    entry = 'msgid "one"\nmsgid_plural "%(n)s"\nmsgstr[0] "%(n)s"\nmsgstr[1] "%(n)s"'
    assert faults(write(tmp_path / "a.po", entry)) == []


def test_a_compiled_file_that_is_missing_or_older_is_found(tmp_path: Path) -> None:
    path = write(tmp_path / "a.po", 'msgid "a"\nmsgstr "b"')
    assert compiled_faults(path) == ["its .mo file is missing."]
    path.with_suffix(".mo").write_bytes(PATHS[0].with_suffix(".mo").read_bytes())
    assert compiled_faults(path) == ["its .mo file has other translations."]


def test_long_texts_and_obsolete_ones_are_read(tmp_path: Path) -> None:
    long = 'msgid ""\n"one "\n"two\\n"\nmsgstr ""\n"eins "\n"zwei\\n"'
    path = write(tmp_path / "a.po", long, '#~ msgid "old"\n#~ msgstr "alt"')
    assert read(path) == [Entry(text="one two\n", translations={0: "eins zwei\n"})]


@pytest.mark.parametrize("word", ["session", "sign in", "sign out", "end", "revoke", "deny"])
def test_the_glossary_has_a_word_in_each_language_for(word: str) -> None:
    row = re.search(rf"^\| {word} \|(.+)\|$", GLOSSARY, re.M)
    assert row
    assert len([cell for cell in row[1].split("|") if cell.strip()]) == len(LANGUAGES)
