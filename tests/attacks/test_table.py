"""The table of attacks: complete, and as docs/attacks.md shows it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from .__main__ import attacks_of, modules, page

DOCS = Path(__file__).resolve().parents[2] / "docs"
TABLE = [attack for module in modules() for attack in attacks_of(module)]
SOURCE = re.compile(
    r"(RFC \d+ §|rfc8725bis §|CVE-\d{4}-\d+$|GHSA-|CWE-\d+$|OWASP (WSTG-|API)|WSTG-|ASVS \d|PortSwigger"
    r"|HackTricks$|jwt_tool playbook$|Wycheproof$|gunicorn |slow requests$)"
)


def test_the_page_shows_what_is_tried() -> None:
    assert (DOCS / "attacks.md").read_text() == page(), "python -m tests.attacks > docs/attacks.md"


def test_each_attack_has_a_source_and_each_token_a_name_of_its_own() -> None:
    for name, source in TABLE:
        assert all(SOURCE.match(one) for one in source.split(", ")), (name, source)
    names = Counter(name for name, _ in TABLE if not name.startswith("…"))
    assert [name for name, number in names.items() if number > 1] == []


@pytest.mark.parametrize(
    "threat",
    [
        # RFC 8725 §2.4 and §2.5 are about decryption (§2.3), which the app does not do.
        *(f"RFC 8725 §2.{number}" for number in (1, 2, 3, 6, 7, 8, 9)),
        *(f"rfc8725bis §2.{number}" for number in (10, 11, 12, 13)),
    ],
)
def test_each_threat_of_the_best_current_practices_is_tried(threat: str) -> None:
    assert any(threat in re.split(", ", source) for _, source in TABLE)


@pytest.mark.parametrize(
    "advisory",
    [
        # PyJWT
        "CVE-2017-11424",
        "CVE-2022-29217",
        "CVE-2024-53861",
        "CVE-2026-32597",
        "CVE-2026-48526",
        "GHSA-jq35-7prp-9v3f",
        "GHSA-993g-76c3-p5m4",
        "GHSA-w7vc-732c-9m39",
        # gunicorn
        "CVE-2018-1000164",
        "CVE-2024-1135",
        "CVE-2024-6827",
        # Django, in code that a sign-in or a body can reach
        "CVE-2013-1443",
        "CVE-2016-9014",
        "CVE-2018-14574",
        "CVE-2021-45115",
        "CVE-2023-24580",
        "CVE-2024-39329",
        "CVE-2025-64459",
        # djangorestframework-simplejwt
        "CVE-2024-22513",
    ],
)
def test_each_advisory_of_the_libraries_in_use_that_concerns_a_request_is_tried(
    advisory: str,
) -> None:
    assert any(advisory in re.split(", ", source) for _, source in TABLE)
