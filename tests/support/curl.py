"""Run the documentation's curl commands with curl or, where curl is missing, with Python."""

import argparse
import shlex
import shutil
import subprocess
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def run(command: str) -> tuple[int, str]:
    """Run one line that starts with "curl -s"; return the status and the body of the answer."""
    words = shlex.split(command)
    return by_curl(words) if shutil.which("curl") else by_python(words)


def by_curl(words: list[str]) -> tuple[int, str]:
    words = [*words, "-w", "\n%{http_code}"]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    body, _, status = printed.rpartition("\n")
    return int(status), body


def by_python(words: list[str]) -> tuple[int, str]:
    """Do what curl does with -s, -H and -d. Any other option ends in an error."""
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-s", action="store_true", required=True)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", action="append", default=[])
    parser.add_argument("url")
    options = parser.parse_args(words[1:])
    headers = dict(line.split(": ", 1) for line in options.H)
    data = "&".join(options.d).encode() if options.d else None
    try:
        answer = urlopen(Request(options.url, data, headers), timeout=60)
    except HTTPError as refusal:
        answer = refusal
    with answer:
        return int(answer.status), answer.read().decode()
