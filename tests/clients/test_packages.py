"""The examples of both READMEs, run with the packages as they are installed, against a real site."""

import json
import time
import tomllib
from pathlib import Path

import pytest

from tests.clients.conftest import PASSWORD, example, run, serving
from tests.support.processes import PATIENCE, ROOT, Answer, Site

PYTHON = {
    "with_fastapi": "uvicorn with_fastapi:app --port PORT",
    "with_asgi": "uvicorn with_asgi:app --port PORT --lifespan off",
    "with_flask": "gunicorn with_flask:app -b 127.0.0.1:PORT",
    # Two processes that are forked after the app was loaded.
    "with_wsgi": "gunicorn with_wsgi:app -b 127.0.0.1:PORT --preload -w 2",
}


@pytest.mark.parametrize("name", PYTHON)
def test_the_python_examples(name: str, python_project: Path, authority: Site) -> None:
    (python_project / f"{name}.py").write_text(example("python", f"{name}.py"))
    program, *arguments = PYTHON[name].split()
    python = str(python_project / ".venv/bin/python")
    with serving([python, "-m", program, *arguments], python_project, authority) as service:
        tell_the_story(service, authority)


@pytest.mark.parametrize("name", ["app.mjs", "fastify.mjs", "plain.mjs"])
def test_the_node_examples(name: str, node_project: Path, authority: Site) -> None:
    (node_project / name).write_text(example("node", name))
    with serving(["node", name], node_project, authority) as service:
        tell_the_story(service, authority)


def tell_the_story(service: Site, authority: Site) -> None:
    """Ask without a token, sign in, ask, sign out, and ask until it is refused."""
    answer = ask(service, "")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert ask(service, "not.a.token").status == 401
    status, pair = authority.post("/api/token/", username="bob", password=PASSWORD)
    assert status == 200
    answer = ask(service, pair["access"])
    assert answer.status == 200, answer.body
    _, me = authority.get("/api/me/", pair["access"])
    assert answer.json() == {"user": me["id"]}
    assert ask(service, pair["refresh"]).status == 401
    assert authority.ask("/api/logout/", body={}, raw_access=pair["access"]).status == 204
    deadline = time.monotonic() + PATIENCE
    # Every process of the service has to learn it.
    for _ in range(10):
        while (answer := ask(service, pair["access"])).status == 200:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def ask(service: Site, raw_access: str) -> Answer:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return service.ask("/hello", raw_access=raw_access)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_plain_python_example(python_project: Path, authority: Site) -> None:
    _, pair = authority.post("/api/token/", username="bob", password=PASSWORD)
    story = f"print(user_of({pair['access']!r}), user_of('x'))"
    text = example("python", "plain.py").replace("http://127.0.0.1:8000", authority.base)
    (python_project / "plain.py").write_text(f"{text}\n{story}\n")
    _, me = authority.get("/api/me/", pair["access"])
    python = python_project / ".venv/bin/python"
    told = run(python, "plain.py", cwd=python_project)
    assert told == f"{me['id']} refused: answer 401\n"


def test_the_types_of_the_python_package(python_project: Path) -> None:
    code = "import latchkey_verify.fastapi, latchkey_verify.flask, latchkey_verify.asgi\n"
    for name in ("plain", "with_fastapi", "with_flask"):
        (python_project / f"typed_{name}.py").write_text(code + example("python", f"{name}.py"))
    python = python_project / ".venv/bin/python"
    run(python, "-m", "mypy", "--strict", *python_project.glob("typed_*.py"), cwd=python_project)


def test_no_lock_file_names_the_host_of_a_registry() -> None:
    locked = json.loads((ROOT / "clients/node/package-lock.json").read_text())["packages"]
    assert [name for name in locked if name] == ["node_modules/jose"]
    assert not any("resolved" in entry for entry in locked.values())


def test_the_sources_of_the_packages_need_nothing_else() -> None:
    told = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]
    assert [name.partition("[")[0] for name in told["dependencies"]] == ["pyjwt"]
    assert json.loads((ROOT / "clients/node/package.json").read_text())["dependencies"].keys() == {
        "jose"
    }


def test_the_types_of_the_node_package(node_project: Path) -> None:
    (node_project / "typed.mts").write_text(
        'import express from "express";\n'
        'import Fastify from "fastify";\n'
        'import { InvalidToken, Verifier, type Token } from "latchkey-verify";\n'
        'import { tokenRequired } from "latchkey-verify/express";\n'
        'import { tokenRequired as hook } from "latchkey-verify/fastify";\n'
        'const verifier = new Verifier("https://a.example", { issuer: "a", audience: "b" });\n'
        "const token: Token = await verifier.verify('x');\n"
        "express().get('/', tokenRequired(verifier), (q, r) => { r.json(q.token?.sub); });\n"
        "Fastify().addHook('onRequest', hook(verifier));\n"
        "// @ts-expect-error  The issuer is required.\n"
        'new Verifier("https://a.example", { audience: "b" });\n'
        "console.log(token.sid, new InvalidToken().status);\n"
    )
    flags = ("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022")
    run("npx", "tsc", *flags, "typed.mts", cwd=node_project)
