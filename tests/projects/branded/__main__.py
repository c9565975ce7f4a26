"""Walk through every page, print what the pages and the mail call the site, and where they lead."""

import json
import re
import sys
from html import unescape
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core import mail  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

PASSWORD = "correct horse battery staple"
HOST = "api.acme.example"
# The names of cookies are part of the wire, and seen by no reader of a page.
COOKIES = re.compile(r"latchkey_(access|refresh|device)")
# Where a walk begins. It goes on to every address that a page links to.
PAGES = [
    "/v2/api/login/",
    "/v2/api/token/",
    "/v2/api/token/refresh/",
    "/v2/api/token/verify/",
    "/v2/api/token/revoke/",
    "/v2/api/token/blacklist/",
    "/v2/api/token/introspect/",
    "/v2/api/token/check/",
    "/v2/api/token/cookie/",
    "/v2/api/token/cookie/refresh/",
    "/v2/api/logout/",
    "/v2/api/logout/all/",
    "/v2/api/sessions/",
    "/v2/api/me/",
    "/v2/api/me/password/",
    "/v2/schema/",
    "/.well-known/jwks.json",
    "/admin/",
]
LINK = re.compile(r'<a\b[^>]*?\bhref="(/[^"#]*)')
BRAND = re.compile(r'<(?:a|span) class="brand"(?: href="([^"]*)")?>.*?<span[^>]*>([^<]*)</span>')


def walk(client: Any) -> tuple[dict[str, int], set[tuple[str, str]], list[str]]:
    """Return the status of each page, the names and homes of the site, and where this one's name is."""
    statuses: dict[str, int] = {}
    brands: set[tuple[str, str]] = set()
    branded: list[str] = []
    waiting = [*PAGES]
    while waiting:
        page = waiting.pop()
        if page in statuses or ("logout" in page and "admin" in page) or len(statuses) > 150:
            continue
        answer = client.get(page, HTTP_HOST=HOST)
        statuses[page] = answer.status_code
        if "html" not in answer.get("Content-Type", ""):
            text = answer.content.decode() if page == "/v2/schema/" else ""
        else:
            text = answer.content.decode()
            brands |= {(unescape(name), home) for home, name in BRAND.findall(text)}
            waiting += [unescape(link) for link in LINK.findall(text)]
        if "latchkey" in COOKIES.sub("", text).lower():
            branded.append(page)
    return statuses, brands, branded


def main() -> None:
    setup_test_environment()
    mail.outbox = []
    call_command("migrate", verbosity=0)
    ada = get_user_model().objects.create_superuser("ada", "ada@example.org", PASSWORD)
    browser = APIClient(HTTP_ACCEPT="text/html,*/*", raise_request_exception=False)
    walks = [walk(browser)]
    for address in ("192.0.2.1", "198.51.100.1"):
        answer = browser.post(
            "/v2/api/token/cookie/",
            {"username": "ada", "password": PASSWORD},
            REMOTE_ADDR=address,
            HTTP_HOST=HOST,
        )
        assert answer.status_code == 200, answer.content
    browser.force_login(ada)
    walks.append(walk(browser))
    json.dump(
        {
            "pages": [len(statuses) for statuses, _, _ in walks],
            "missing": sorted(
                page
                for statuses, _, _ in walks
                for page, status in statuses.items()
                if status == 404
            ),
            "failed": sorted(
                page
                for statuses, _, _ in walks
                for page, status in statuses.items()
                if status >= 500
            ),
            "brands": sorted({brand for _, brands, _ in walks for brand in brands}),
            "branded": sorted(page for _, _, branded in walks for page in branded),
            "mail": [message.subject for message in mail.outbox],
            "branded mail": [m.body for m in mail.outbox if "latchkey" in m.body.lower()],
        },
        sys.stdout,
    )


main()
