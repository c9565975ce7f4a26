"""docs/events.md documents every signal and every log line."""

import re
from pathlib import Path

from tokens import signals

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "events.md").read_text()


def documented(heading: str) -> set[str]:
    section = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_signal_is_documented() -> None:
    assert documented("Signals") == set(signals.SIGNALS.values())


def test_every_line_is_documented() -> None:
    calls = (
        re.findall(r'(?:signals\.log\(\s*|event=)"(\w+)"', path.read_text())
        for path in (ROOT / "tokens").rglob("*.py")
        # Packages that can be deleted; pages of their own document their lines.
        if not {"takeover", "status_list"} & set(path.parts)
    )
    assert documented("Lines") == {name for names in calls for name in names}
