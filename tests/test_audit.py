"""``make audit`` with the real pip-audit and a local advisory service."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.processes import ROOT

VULNERABILITY = {
    "id": "PYSEC-2026-179",
    "aliases": ["CVE-2026-48526"],
    "summary": "A JWK is taken for an HMAC secret.",
    "affected": [
        {
            "package": {"name": "pyjwt", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.13.0"}]}],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """The one query of the OSV API: the advisories about one version of a package."""

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = (question["package"]["name"], question["version"]) == ("pyjwt", "2.12.1")
        body = json.dumps({"vulns": [VULNERABILITY]} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Advisories)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def audit(folder: Path, version: str, url: str, **environ: str) -> tuple[int, str]:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"pyjwt=={version} --hash=sha256:{'0' * 64}\n")
    service = ["--vulnerability-service=osv", f"--osv-url={url}", f"--cache-dir={folder}"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.audit", str(requirements), *service],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_a_known_vulnerability_is_named_and_fails(service: str, tmp_path: Path) -> None:
    status, said = audit(tmp_path, "2.12.1", service)
    assert status == 1
    assert said == "pyjwt 2.12.1: PYSEC-2026-179, CVE-2026-48526; fixed in 2.13.0\n"


def test_packages_that_nothing_is_known_about_pass(service: str, tmp_path: Path) -> None:
    status, said = audit(tmp_path, "2.15.1", service, AUDIT="strict")
    assert (status, "1 packages, none with a known vulnerability" in said) == (0, True)


@pytest.mark.slow
def test_without_the_service_a_sentence_says_that_nothing_was_audited(tmp_path: Path) -> None:
    for strictness, expected in (("", 0), ("strict", 1)):
        status, said = audit(tmp_path, "2.12.1", "http://127.0.0.1:9/", AUDIT=strictness)
        assert status == expected
        assert "nothing was audited for known vulnerabilities" in said
        assert len(said.splitlines()) == 1
