"""Catalogues of translations: a reader of .po files, and what is wrong with one."""

import ast
import gettext
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tokens import OPTIONAL_APPS

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("de", "es", "fr", "pt_BR")
# An app that can be deleted has catalogues of its own.
HOMES = ("accounts", "config", "tokens", *(f"tokens/{name}" for name in OPTIONAL_APPS))

# A conversion of %-formatting with or without a name, and a field of str.format().
PLACEHOLDER = re.compile(r"%\((\w+)\)[#0 +-]*\d*(?:\.\d+)?[a-zA-Z]|%[sdr]|\{(\w*)\}")
_LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr)(?:\[(\d)\])? )?(".*")')


@dataclass
class Entry:
    context: str | None = None
    text: str = ""
    plural: str | None = None
    translations: dict[int, str] = field(default_factory=dict)
    is_fuzzy: bool = False

    @property
    def key(self) -> tuple[str | None, str, str | None]:
        return self.context, self.text, self.plural

    def __str__(self) -> str:
        return repr(self.text) + (f" ({self.context})" if self.context else "")


def path_of(home: str, language: str, *, root: Path = ROOT) -> Path:
    return root / home / "locale" / language / "LC_MESSAGES" / "django.po"


def all_paths(*, root: Path = ROOT) -> Iterator[Path]:
    """Yield where the catalogues of each home are, if it has strings. One that was deleted has none."""
    for home in HOMES:
        if (root / home).is_dir():
            yield from (path_of(home, language, root=root) for language in LANGUAGES)


def read(path: Path) -> list[Entry]:
    """Return the entries of a .po file without its header. Obsolete ones do not count."""
    entries = [entry for block in path.read_text().split("\n\n") if (entry := _read_entry(block))]
    return [entry for entry in entries if entry.text]


def _read_entry(block: str) -> Entry | None:
    entry, kind, number = Entry(), "", 0
    for line in block.splitlines():
        if line.startswith("#, ") and "fuzzy" in line:
            entry.is_fuzzy = True
        found = None if line.startswith("#") else _LINE.fullmatch(line)
        if not found:
            continue
        if found[1]:
            kind, number = found[1], int(found[2] or 0)
        piece = ast.literal_eval(found[3])
        match kind:
            case "msgctxt":
                entry.context = (entry.context or "") + piece
            case "msgid":
                entry.text += piece
            case "msgid_plural":
                entry.plural = (entry.plural or "") + piece
            case "msgstr":
                entry.translations[number] = entry.translations.get(number, "") + piece
    return entry if kind else None


def faults(path: Path) -> list[str]:
    """Return what is wrong with the translations of a catalogue: one sentence for each fault."""
    found = []
    for entry in read(path):
        if entry.is_fuzzy:
            found.append(f"{entry} is fuzzy.")
        elif not entry.translations or not all(entry.translations.values()):
            found.append(f"{entry} has no translation.")
        else:
            found += _placeholder_faults(entry)
    return found


def _placeholder_faults(entry: Entry) -> list[str]:
    wanted = placeholders(entry.plural or entry.text)
    # The form for one may say "one" instead of the number.
    optional = wanted - placeholders(entry.text) if entry.plural else set()
    found = []
    for number, text in entry.translations.items():
        has = placeholders(text)
        if has - wanted or wanted - has - (optional if number == 0 else set()):
            found.append(f"{entry} has other placeholders in {text!r}.")
        if text.startswith("\n") != entry.text.startswith("\n"):
            found.append(f"{entry} begins with a line break in one language only.")
    return found


def placeholders(text: str) -> set[str]:
    return {found[0] for found in PLACEHOLDER.finditer(text.replace("%%", ""))}


def compiled_faults(path: Path) -> list[str]:
    """Return a sentence if the .mo file beside a .po file has other translations, or is missing."""
    if not path.with_suffix(".mo").exists():
        return ["its .mo file is missing."]
    same = compiled(path.with_suffix(".mo")) == _as_compiled(read(path))
    return [] if same else ["its .mo file has other translations."]


def compiled(path: Path) -> dict[str | tuple[str, int], str]:
    """Return the translations of a .mo file: by the text, or by the text and the number of a form."""
    with path.open("rb") as file:
        found = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    del found[""]
    return found


def _as_compiled(entries: list[Entry]) -> dict[str | tuple[str, int], str]:
    catalogue: dict[str | tuple[str, int], str] = {}
    for entry in entries:
        text = entry.text if entry.context is None else f"{entry.context}\x04{entry.text}"
        if entry.plural is None:
            catalogue[text] = entry.translations[0]
        else:
            forms = entry.translations.items()
            catalogue.update({(text, number): form for number, form in forms})
    return catalogue
