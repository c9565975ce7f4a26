"""
``make demo``: sign in, refresh, replay and revoke, over HTTP against the running project.

Uses the server on 127.0.0.1:PORT, or starts another one, and a temporary user that it deletes at
the end. Exits with status 1 at the first step that fails.
"""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from .quickstart import HOST, ROOT, migrate, read_port, say, set_up_django

Answer = tuple[int, dict[str, Any]]


class StepFailed(Exception):
    pass


class Site:
    """A client of the API at one address."""

    def __init__(self, at: str) -> None:
        self.base = f"http://{at}"

    def post(self, path: str, **body: str) -> Answer:
        return self._send(path, data=json.dumps(body).encode())

    def get(self, path: str, *, raw_access: str = "") -> Answer:
        return self._send(path, raw_access=raw_access)

    def answers(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except (URLError, OSError, ValueError):
            return False

    def _send(self, path: str, *, data: bytes | None = None, raw_access: str = "") -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if raw_access:
            headers["Authorization"] = f"Bearer {raw_access}"
        request = Request(self.base + path, data=data, headers=headers)  # noqa: S310
        try:
            with urlopen(request, timeout=30) as response:  # noqa: S310
                return response.status, json.loads(response.read() or b"{}")
        except HTTPError as refusal:
            with refusal:
                return refusal.code, json.loads(refusal.read() or b"{}")


def main() -> None:
    port = read_port(os.environ.get("PORT", "8000"))
    if not (ROOT / ".env").exists() and "SECRET_KEY" not in os.environ:
        sys.exit('There is no .env file yet. Run "make run" once: it sets everything up.')
    set_up_django()
    migrate()
    from django.conf import settings

    grace = settings.TOKENS_REFRESH_GRACE.total_seconds()
    with running_site(port) as site, throw_away_user() as (username, password):
        walk_through(site, username=username, password=password, grace=grace)
    say("\nEvery step succeeded.")


def walk_through(site: Site, *, username: str, password: str, grace: float) -> None:
    """Run each step of the demo. Raises StepFailed."""
    step("Sign in", "POST /api/token/")
    first = sign_in(site, username, password)
    say(f"  access  {short(first['access'])}  for {first['expires_in']} s")
    say(f"  refresh {short(first['refresh'])}  for {first['refresh_expires_in']} s")

    step("Decode the access token: it is signed, not encrypted, and holds no personal data")
    for name, part in zip(("header", "claims"), first["access"].split("."), strict=False):
        say(f"  {name}  {json.dumps(decoded(part))}")

    step("Call the API", "GET /api/me/")
    me = expect(200, site.get("/api/me/", raw_access=first["access"]))
    say(f"  200, signed in as {me['username']}")

    step("Refresh", "POST /api/token/refresh/")
    second = expect(200, site.post("/api/token/refresh/", refresh=first["refresh"]))
    say(f"  refresh {short(second['refresh'])}  is the new one")

    if grace > 0:
        step(f"Refresh with the same token within {grace:.0f} s, as if the answer had been lost")
        again = expect(200, site.post("/api/token/refresh/", refresh=first["refresh"]))
        check(again["refresh"] == second["refresh"], "the current pair again")
        say("  200, and the very same pair: a lost answer signs no user out")

    step(
        "Use the new pair, wait until the grace is over, and replay the old token: it counts as stolen"
    )
    expect(200, site.get("/api/me/", raw_access=second["access"]))
    count_down(grace + 1)
    refused = expect(401, site.post("/api/token/refresh/", refresh=first["refresh"]))
    say(f"  401, {refused['detail']!r}")
    expect(401, site.get("/api/me/", raw_access=second["access"]))
    expect(401, site.post("/api/token/refresh/", refresh=second["refresh"]))
    say("  and the session has ended for both holders, the newest access token included")

    step("Sign in again and revoke", "POST /api/token/revoke/")
    third = sign_in(site, username, password)
    expect(200, site.get("/api/me/", raw_access=third["access"]))
    expect(200, site.post("/api/token/revoke/", token=third["refresh"]))
    refused = expect(401, site.get("/api/me/", raw_access=third["access"]))
    say("  200, and the next request with its access token:")
    say(f"  401, {refused['messages'][0]['message']!r}")


def step(title: str, request: str = "") -> None:
    say(f"\n{title}" + (f"   ({request})" if request else ""))


def sign_in(site: Site, username: str, password: str) -> dict[str, Any]:
    status, body = site.post("/api/token/", username=username, password=password)
    if status == 429:
        raise StepFailed("too many sign-ins from this address; wait a minute and try again")
    return expect(200, (status, body))


def expect(status: int, answer: Answer) -> dict[str, Any]:
    """Return the answer's body. Raises StepFailed if it has another status."""
    found, body = answer
    check(found == status, f"the status {status}, but it was {found}: {body}")
    return body


def check(happened: bool, expected: str) -> None:
    if not happened:
        raise StepFailed(f"this step should give {expected}")


def short(raw_token: str) -> str:
    return f"{raw_token[:12]}…{raw_token[-6:]}"


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def count_down(seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        print(f"\r  {left:3.0f} s ", end="", flush=True)
        time.sleep(min(left, 1))
    print("\r       \r", end="", flush=True)


@contextmanager
def throw_away_user() -> Iterator[tuple[str, str]]:
    """Create a user; delete it and its sessions afterwards."""
    from django.contrib.auth import get_user_model

    username, password = f"demo-{secrets.token_hex(4)}", secrets.token_urlsafe(15)
    users: Any = get_user_model()._default_manager
    user = users.create_user(username, f"{username}@example.org", password)
    try:
        yield username, password
    finally:
        user.delete()


@contextmanager
def running_site(port: int) -> Iterator[Site]:
    """Yield the site that answers on ``port``, or start one for as long as the block runs."""
    site = Site(f"{HOST}:{port}")
    if site.answers():
        say(f"Using the server on {HOST}:{port}.")
        yield site
        return
    site = Site(f"{HOST}:{free_port()}")
    say(f"Nothing answers on {HOST}:{port}. Starting another server on {site.base}.")
    command = [sys.executable, "manage.py", "runserver", "--noreload", site.base[len("http://") :]]
    server = subprocess.Popen(  # noqa: S603
        command,
        cwd=ROOT,
        env={**os.environ, "HTTPS": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(site, server)
        yield site
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(site: Site, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not site.answers():
        if server.poll() is not None or time.monotonic() > end:
            raise StepFailed('the server should start; "make run" shows why it does not')
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    try:
        main()
    except StepFailed as failure:
        sys.exit(f"\nThe demo failed: {failure}.")
    except KeyboardInterrupt:
        sys.exit(130)
