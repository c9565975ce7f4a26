"""
What strangers with wrong passwords cost everybody else: `make guessing`.

First over HTTP, by this project as ``make serve`` serves it: the latency of other requests while
CONNECTIONS clients sign in with names that do not exist, each from its own networks. Then in this
process: the table of counts, and the latency of a sign-in, after NAMES such names.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import timedelta
from itertools import count
from statistics import quantiles
from typing import Any

import django

CONNECTIONS = int(os.environ.get("CONNECTIONS") or 16)
SECONDS = float(os.environ.get("SECONDS") or 20)
NAMES = int(os.environ.get("NAMES") or 1_000_000)
RATES = (os.environ.get("RATES") or "10/min,10/day").split(",")
SIGN_INS = 500
PAUSE = 0.02  # seconds between two of the other requests


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder}/guessing.sqlite3")
        os.environ |= {"DJANGO_SETTINGS_MODULE": "benchmarks.settings", "PYTHONWARNINGS": "ignore"}
        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.test import override_settings

        settings.TOKENS_TRUSTED_PROXIES = 1
        call_command("migrate", verbosity=0)
        _beside_other_requests()
        with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
            for rate in RATES:
                _many_names(rate)


def _beside_other_requests() -> None:
    from django.contrib.auth import get_user_model

    from tokens import sessions

    from .http import status_of
    from .serving import serving

    user: Any = get_user_model().objects.create_user("ada", "ada@example.org", "a password")
    token = sessions.start(user).raw_access
    os.environ["LOGIN_THROTTLE"] = "10/min"
    numbers, over = count(), threading.Event()
    answers: Counter[int] = Counter()
    with serving(
        "strict", workers=2, settings="benchmarks.guessed", conf="config.gunicorn_conf"
    ) as server:
        message = server.message("GET", "/api/me/", f"Bearer {token}")

        def other_requests() -> list[float]:
            took = []
            until = time.perf_counter() + SECONDS
            with server.connect() as link:
                while (began := time.perf_counter()) < until:
                    assert status_of(link, message) == 200
                    took.append(time.perf_counter() - began)
                    time.sleep(PAUSE)
            return took

        def guess(name: str) -> None:
            with server.connect() as link:
                while not over.is_set():
                    number = next(numbers)
                    body = json.dumps({name: f"nobody-{number}", "password": "x"})
                    address = f"10.{number // 250 % 250}.{number % 250}.1"
                    asked = server.message("POST", "/api/token/", "", body)
                    forwarded = f"\r\nX-Forwarded-For: {address}\r\nHost:".encode()
                    status = status_of(link, asked.replace(b"\r\nHost:", forwarded, 1))
                    answers[status] += 1
                    peak[0] = max(peak[0], _memory(server.port)) if number % 20 == 0 else peak[0]

        def beside(name: str) -> list[float]:
            over.clear()
            answers.clear()
            threads = [threading.Thread(target=guess, args=(name,)) for _ in range(CONNECTIONS)]
            for thread in threads:
                thread.start()
            took = other_requests()
            over.set()
            for thread in threads:
                thread.join()
            return took

        other_requests()
        alone = other_requests()
        memory = _memory(server.port)
        peak = [memory]
        # Without a name each is refused before a password is checked.
        junk = beside("nobody")
        guessing = beside("username")
    print(f"other requests alone: {_latency(alone)}")
    print(f"beside {CONNECTIONS} connections that send no name: {_latency(junk)}")
    print(f"beside {CONNECTIONS} connections that guess: {_latency(guessing)}")
    p99 = {id(took): quantiles(took, n=100)[98] for took in (alone, junk, guessing)}
    print(f"p99 ÷ p99 alone: {p99[id(guessing)] / p99[id(alone)]:.1f}")
    print(f"p99 ÷ p99 without a name: {p99[id(guessing)] / p99[id(junk)]:.1f}")
    print(f"the answers to guesses in {SECONDS:.0f} s: {dict(sorted(answers.items()))}")
    print(
        f"memory of the workers: {memory >> 20} MB, at most {peak[0] >> 20} MB beside the guessing"
    )


def _memory(port: int) -> int:
    """Return the bytes that the server's processes have in memory."""
    listed = subprocess.run(
        ["ps", "-eo", "rss,args"], capture_output=True, text=True, check=True
    ).stdout
    found = re.findall(rf"^\s*(\d+) .*gunicorn.*127\.0\.0\.1:{port}\b", listed, re.MULTILINE)
    return sum(int(kilobytes) << 10 for kilobytes in found)


def _latency(took: list[float]) -> str:
    cuts = quantiles(took, n=100)
    return f"p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms, at most {max(took) * 1e3:.0f} ms"


def _many_names(rate: str) -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import RequestFactory

    from tokens import clock
    from tokens.limits import admission
    from tokens.models import ThrottleCount

    # The worst case: no limit of the whole site stops them.
    settings.TOKENS_SITE_THROTTLE = ""
    ThrottleCount.objects.all().delete()
    users = get_user_model().objects
    users.filter(username="bob").delete()
    users.create_user("bob", "bob@example.org", "a password")
    settings.TOKENS_LOGIN_THROTTLE = "1000000/min"
    before = _sign_ins()
    settings.TOKENS_LOGIN_THROTTLE = settings.TOKENS_ACCOUNT_THROTTLE = rate
    began, most = clock.now(), 0
    for number in range(NAMES):
        address = f"{number >> 16 & 127}.{number >> 8 & 255}.{number & 255}.1"
        request = RequestFactory().post("/", HTTP_X_FORWARDED_FOR=address)
        # A thousand per second.
        now = began + timedelta(milliseconds=number)
        attempt = admission.look(request, f"nobody-{number}", now=now)
        attempt.take()
        attempt.failed()
        if number % 10_000 == 0:
            most = max(most, ThrottleCount.objects.count())
            print(f"{number:,} names, {most:,} rows at most", end="\r", file=sys.stderr)
    settings.TOKENS_LOGIN_THROTTLE = settings.TOKENS_ACCOUNT_THROTTLE = "1000000/min"
    after = _sign_ins()
    print(f"{rate}, {NAMES:,} unknown names: at most {most:,} rows")
    print(f"  sign-in before: {_latency(before)}")
    print(f"  sign-in after:  {_latency(after)}")


def _sign_ins() -> list[float]:
    from rest_framework.test import APIClient

    body, took = {"username": "bob", "password": "a password"}, []
    for _ in range(SIGN_INS):
        began = time.perf_counter()
        answer = APIClient().post("/api/token/", body, HTTP_X_FORWARDED_FOR="192.0.2.1")
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.content
    return took


if __name__ == "__main__":
    main()
