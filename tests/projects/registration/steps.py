"""Send the requests of a page to the project that its other blocks describe."""

import json
import re
from typing import Any
from urllib.parse import unquote

from django.core import mail
from django.core.checks import run_checks
from django.core.management import call_command
from django.test.utils import setup_test_environment
from rest_framework.test import APIClient

STEP = re.compile(r"(?P<method>[A-Z]+) (?P<path>\S+)(?: (?P<body>\{.*\}))? -> (?P<status>\d+)")
LINK = re.compile(r"https://app\.example\.org/\S+")


def run(steps: str) -> None:
    """Fail unless each line of ``steps`` is answered as it says."""
    setup_test_environment()
    call_command("migrate", verbosity=0)
    messages = run_checks(include_deployment_checks=True)
    assert not [str(message) for message in messages if "tokens." in str(message.id)]
    known: dict[str, str] = {}
    for line in steps.splitlines():
        step = STEP.fullmatch(line)
        assert step is not None, line
        body = re.sub(r"\b[A-Z]{3,}\b", lambda name: known[name[0]], step["body"] or "{}")
        client = APIClient()
        if step["method"] == "GET":
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {known['ACCESS']}")
        answer: Any = client.generic(
            step["method"], step["path"], body, content_type="application/json"
        )
        assert answer.status_code == int(step["status"]), (line, answer.status_code, answer.content)
        if answer.status_code == 200 and step["path"] == "/api/token/":
            pair = json.loads(answer.content)
            known.update(ACCESS=pair["access"], REFRESH=pair["refresh"])
        if mail.outbox:
            known.update(_parts_of_the_link())


def _parts_of_the_link() -> dict[str, str]:
    """Return the parts of the link in the latest mail, which a front end reads from its URL."""
    link = LINK.search(str(mail.outbox[-1].body))
    assert link is not None, mail.outbox[-1].body
    *_, uid, last = map(unquote, link[0].split("/"))
    return {"UID": uid, "KEY": last, "TOKEN": last}
