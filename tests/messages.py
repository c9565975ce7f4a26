"""
``make lint-messages`` compares the catalogues of translations with the code; ``make messages`` writes them.

Both let Django's makemessages work on a copy of the code. It needs GNU gettext, as on Debian:
apt install gettext. The catalogues hold no dates and no line numbers, so that they differ only where
a text does. The texts are compared, not the files, because versions of gettext wrap lines differently.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.catalogues import (
    LANGUAGES,
    ROOT,
    all_paths,
    compiled_faults,
    faults,
    read,
)

PACKAGES = ("accounts", "config", "tokens")
TOOLS = ("xgettext", "msguniq", "msgmerge", "msgattrib", "msgfmt")
DATED = ('"POT-Creation-Date:', '"PO-Revision-Date:')

HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural={plural};\\n"
"""
PLURALS = {"fr": "(n > 1)", "pt_BR": "(n > 1)"}


def main(*options: str, root: Path = ROOT) -> int:
    """Write the catalogues with ``--write``, or report what is wrong with them: 1 if anything is."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        print(f"{missing[0]} was not found. Install GNU gettext. On Debian: apt install gettext")
        return 1
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        _extract(root, copy)
        if "--write" in options:
            _write(root, copy)
        found = [line for path in all_paths(root=root) for line in _faults(path, root, copy)]
    print("\n".join(found) or "The catalogues are up to date and complete.")
    if found:
        print('Run "make messages", translate what is new, and run it again to compile it.')
    return int(bool(found))


def _extract(root: Path, copy: Path) -> None:
    """Copy the code and its catalogues, and let makemessages bring the copies up to date."""
    kept = (".py", ".html", ".txt", ".po")
    for package in filter(lambda name: (root / name).is_dir(), PACKAGES):
        shutil.copytree(
            root / package,
            copy / package,
            ignore=lambda folder, names: [
                name
                for name in names
                if name == "__pycache__"
                or (not name.endswith(kept) and not Path(folder, name).is_dir())
            ],
        )
    for path in all_paths(root=copy):
        if not path.exists():
            path.parent.mkdir(parents=True)
            language = path.parts[-3]
            plural = PLURALS.get(language, "(n != 1)")
            path.write_text(HEADER.format(language=language, plural=plural))
    locales = [f"--locale={language}" for language in LANGUAGES]
    _run(
        *(sys.executable, "-m", "django", "makemessages", *locales),
        *("--no-location", "--no-obsolete", "--verbosity=0"),
        folder=copy,
    )


def _write(root: Path, copy: Path) -> None:
    for path in all_paths(root=copy):
        lines = path.read_text().splitlines(keepends=True)
        target = root / path.relative_to(copy)
        if not read(path) and not target.exists():
            continue  # The app has no strings.
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(line for line in lines if not line.startswith(DATED)))
        _run("msgfmt", "--check", "--output-file", target.with_suffix(".mo"), target, folder=root)


def _faults(path: Path, root: Path, copy: Path) -> list[str]:
    name = path.relative_to(root)
    wanted = {entry.key: str(entry) for entry in read(copy / name)}
    if not path.exists():
        return [f"{name} is missing."] if wanted else []
    has = {entry.key: str(entry) for entry in read(path)}
    found = [f"{wanted[key]} is missing." for key in wanted if key not in has]
    found += [f"{has[key]} is in no code." for key in has if key not in wanted]
    # What msgfmt finds besides, such as a header that gettext cannot use.
    _run("msgfmt", "--check", "--output-file", os.devnull, path, folder=root)
    found += faults(path) or compiled_faults(path)
    return [f"{name}: {fault}" for fault in found]


def _run(*command: str | Path, folder: Path) -> None:
    # makemessages must find no settings: it needs none, and they need an environment.
    environ = {name: os.environ[name] for name in os.environ if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr.strip())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
