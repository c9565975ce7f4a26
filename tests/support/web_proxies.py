"""nginx, Caddy, HAProxy and Traefik with the configurations of a page under docs/, for one test."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage, IncompleteRead
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from tests.support.certificates import make_certificate
from tests.support.ports import free_port
from tests.support.processes import PATIENCE, ROOT
from tests.support.servers import NotInstalled

HOST = "app.example.org"

# A block is one file. What follows is around it only where the test has its own folder and ports.
NGINX = """
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    include {folder}/block;
}}
"""
CADDY = """
{{
    admin off
    http_port {http}
    https_port {https}
}}
import {folder}/block
"""
TRAEFIK = """
entryPoints:
    web: {{address: "127.0.0.1:{http}"}}
    websecure: {{address: "127.0.0.1:{https}"}}
providers:
    file: {{directory: {folder}/dynamic}}
"""
TRAEFIK_CERTIFICATE = """
tls:
    certificates: [{{certFile: {certificate}, keyFile: {certificate}}}]
"""


def blocks_of(page: str, language: str) -> list[str]:
    """Return the configurations in this language on a page under docs/."""
    text = (ROOT / "docs" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


@dataclass(frozen=True)
class Running:
    """A proxy that runs: its ports with and without TLS, and its certificate."""

    https: int
    http: int
    certificate: Path


@contextmanager
def running_proxy(
    language: str, page: str, folder: Path, *, targets: dict[int, int]
) -> Iterator[Running]:
    """
    Run the only configuration in this language on the page until the block ends.

    ``targets`` has the port of each server behind the proxy by its port on the page. Raises
    NotInstalled.
    """
    [block] = blocks_of(page, language)
    running = Running(free_port(), free_port(), make_certificate(folder, HOST))
    ports = {443: running.https, 80: running.http, **targets}
    written = _with_ports(block, language, ports)
    written = written.replace(f"/etc/ssl/{HOST}.pem", str(running.certificate))
    (folder / "block").write_text(written)
    command = _command(language, folder, running)
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(running):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "The proxy does not listen."
            time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _with_ports(block: str, language: str, ports: dict[int, int]) -> str:
    if language in ("caddyfile", "yaml"):
        # The ports are options, outside the block.
        ports = {port: to for port, to in ports.items() if port not in (80, 443)}
    for port, to in ports.items():
        block, count = re.subn(rf"(:|listen ){port}\b", rf"\g<1>{to}", block)
        assert count or port == 80, f"The page names no port {port}."
    return block


def _command(language: str, folder: Path, running: Running) -> list[str]:
    program = {"caddyfile": "caddy", "yaml": "traefik"}.get(language, language)
    elsewhere = (
        f"{Path(sys.executable).parent}:/usr/sbin"  # Debian has no Traefik, so pip installs it.
    )
    path = shutil.which(program) or shutil.which(program, path=elsewhere)
    if path is None:
        how = "make .venv/.proxies" if program == "traefik" else f"on Debian: apt install {program}"
        raise NotInstalled(f"{program} is not installed. Install it ({how}).")
    around = folder / "around"
    if language == "nginx":
        # Workers of another user could not enter the test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        around.write_text(NGINX.format(folder=folder, user=user))
        return [path, "-c", str(around), "-g", "daemon off;"]
    if language == "caddyfile":
        around.write_text(CADDY.format(folder=folder, http=running.http, https=running.https))
        return [path, "run", "--config", str(around), "--adapter", "caddyfile"]
    if language == "yaml":
        around.write_text(TRAEFIK.format(folder=folder, http=running.http, https=running.https))
        dynamic = folder / "dynamic"
        dynamic.mkdir()
        (folder / "block").rename(dynamic / "block.yaml")
        certificate = TRAEFIK_CERTIFICATE.format(certificate=running.certificate)
        (dynamic / "certificate.yaml").write_text(certificate)
        return [path, "--configFile", str(around.rename(folder / "around.yaml"))]
    return [path, "-db", "-f", str(folder / "block")]


def _answers(running: Running) -> bool:
    """Return whether it has its certificate: Traefik listens before it has read its routes."""
    context = ssl.create_default_context(cafile=str(running.certificate))
    with closing(_TLSConnection(running.https, context, address="127.0.0.1")) as connection:
        try:
            connection.connect()
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPMessage
    body: bytes


class _TLSConnection(HTTPConnection):
    """A connection to the proxy on this machine, under the name that its certificate has."""

    def __init__(self, port: int, context: ssl.SSLContext, *, address: str) -> None:
        super().__init__("127.0.0.1", port, timeout=PATIENCE, source_address=(address, 0))
        self._context = context

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=HOST)


class WebClient:
    """A browser of one user, which keeps its cookies, at an address of this machine."""

    def __init__(self, proxy: Running, address: str) -> None:
        self.proxy = proxy
        self.address = address
        self.cookies: dict[str, str] = {}
        self.host = f"{HOST}:{proxy.https}"
        self._context = ssl.create_default_context(cafile=str(proxy.certificate))

    def send(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | None = None,
        body: bytes | None = None,
        tls: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request, and keep the cookies of the answer."""
        sent = {"Host": self.host if tls else f"{HOST}:{self.proxy.http}", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method != "GET":
            # As a browser does.
            sent |= {"Origin": f"https://{self.host}", "Referer": f"https://{self.host}/"} | sent
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(form).encode()
        connection = (
            _TLSConnection(self.proxy.https, self._context, address=self.address)
            if tls
            else HTTPConnection("127.0.0.1", self.proxy.http, source_address=(self.address, 0))
        )
        with closing(connection):
            connection.connect()
            # A proxy may answer and close before it has read a large body.
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                connection.request(method, path, body, sent)
            response = connection.getresponse()
            try:
                content = response.read()
            except IncompleteRead as cut:
                content = cut.partial
            reply = Reply(response.status, response.headers, content)
        for line in reply.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
                if not morsel.value:
                    del self.cookies[name]
        return reply

    def csrf(self) -> dict[str, str]:
        return {"X-CSRFToken": self.cookies["csrftoken"]}

    def sign_in(self, name: str, password: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Sign in by cookie, as a page of the site does."""
        self.send("GET", "/api/token/cookie/")
        form = {"username": name, "password": password}
        sent = {**self.csrf(), **(headers or {})}
        return self.send("POST", "/api/token/cookie/", form=form, headers=sent)
