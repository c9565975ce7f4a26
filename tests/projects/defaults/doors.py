"""One request of each kind to every view of the app, and what the answers have in common."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from tests.projects.defaults.settings import PREFIX
from tokens import sessions
from tokens.models import EndReason

PASSWORD = "correct horse battery staple"
HTML = "text/html"
WHOLE_PAGE = 50

# What differs between two sign-ins.
_UNLIKE = (
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "<token>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00:00)?"), "<time>"),
    (re.compile(r"latchkey_device=[^;]+"), "latchkey_device=<device>"),
    (re.compile(r"\w\w\w, \d\d \w\w\w \d{4} [\d:]{8} GMT"), "<date>"),
    (re.compile(r"cursor=[\w%=-]+"), "cursor=<cursor>"),
    (re.compile(r"\b[A-Za-z0-9]{32,64}\b"), "<random>"),
    (re.compile(r"[Mm]ax-[Aa]ge=\d+"), "max-age=<seconds>"),
    (re.compile(r'((expires[_-]in|iat|exp)"?[:=] ?"?)\d+'), r"\1<seconds>"),
    # A place has an own path for cookies, and more levels of breadcrumbs than another.
    (re.compile(r"Path=/[^;]*"), "Path=/<path>"),
    (re.compile(r'<nav aria-label="Breadcrumbs">.*?</nav>', re.DOTALL), ""),
    # Of the middleware of the project.
    (re.compile(r"(, | )?(Cookie|Accept-Language)(?=[,'])"), ""),
    (re.compile(r", \('Vary', ''\)"), ""),
    # The first characters of an id, and what a time zone of the project changes.
    (re.compile(r" · [0-9a-f]{4}\b"), " · <code>"),
    (re.compile(r"<time [^>]*>[^<]*</time>"), "<time>"),
    (re.compile(r"\s+"), " "),
)


def answers() -> dict[str, Any]:
    """Return the status, headers and body of every answer, without what is random."""
    return {name: _seen(answer) for name, answer in _knock()}


def _seen(answer: Any) -> list[Any]:
    unlike = {"Content-Length", "Content-Language"}
    headers = {name: value for name, value in answer.items() if name not in unlike}
    cookies = sorted(cookie.OutputString() for cookie in answer.cookies.values())
    body = answer.content.decode()
    return [
        answer.status_code,
        *(_alike(str(part)) for part in (sorted(headers.items()), cookies, body)),
    ]


def _alike(text: str) -> str:
    text = text.replace(PREFIX, "/api/").replace(quote(PREFIX, ""), "%2Fapi%2F")
    for pattern, word in _UNLIKE:
        text = pattern.sub(word, text)
    return text


class _Caller(APIClient):
    def generic(  # type: ignore[override]
        self, method: str, path: str, *args: Any, **extra: Any
    ) -> Any:
        if path.startswith("/api/") and not path.startswith(PREFIX):
            path = path.replace("/api/", PREFIX, 1)
        return super().generic(method, path, *args, **extra)


def _bearer(pair: Any) -> _Caller:
    return _Caller(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")


def _knock() -> Iterator[tuple[str, Any]]:
    ada = get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)
    right = {"username": "ada", "password": PASSWORD}
    yield from _sign_in(right)
    yield from _tokens_in_bodies(ada)
    yield from _introspection(ada)
    yield from _by_cookie(right)
    yield from _own_sessions(ada)
    yield from _pages(ada, right)
    yield from _keys()
    yield from _methods(ada)
    yield from _password(ada)


def _sign_in(right: dict[str, str]) -> Iterator[tuple[str, Any]]:
    anyone = _Caller()
    for form in ("json", "multipart"):
        yield f"sign-in {form}", anyone.post("/api/token/", right, format=form)
    form = "application/x-www-form-urlencoded"
    body = "username=ada&password=correct+horse+battery+staple"
    yield "sign-in form", anyone.post("/api/token/", body, content_type=form)
    for accept in ("application/json; version=v2", "application/json; indent=2", HTML, "a/b"):
        answer = anyone.post("/api/token/", right, format="json", HTTP_ACCEPT=accept)
        yield f"sign-in {accept}", answer
    at_host = anyone.post("/api/token/", right, format="json", HTTP_HOST="v2.example.org")
    yield "sign-in at another host", at_host
    yield "sign-in ?format", anyone.post("/api/token/?format=json", right, format="json")
    yield "sign-in ?version", anyone.post("/api/token/?version=v2", right, format="json")
    for name, wrong in {
        "wrong": {**right, "password": "wrong"},
        "incomplete": {"username": "ada"},
        "a list": [1],
        "null": None,
    }.items():
        yield f"sign-in {name}", anyone.post("/api/token/", wrong, format="json")
    for kind, body in (
        ("application/json", "{"),
        ("application/json", "null"),
        ("application/json", '{"username": NaN, "password": "é"}'),
        ("text/plain", "?"),
    ):
        yield f"sign-in {kind} {body}", anyone.post("/api/token/", body, content_type=kind)
    bad = _Caller(HTTP_AUTHORIZATION="Bearer bad")
    yield "sign-in with a bad token", bad.post("/api/token/", right, format="json")


def _tokens_in_bodies(ada: Any) -> Iterator[tuple[str, Any]]:
    anyone = _Caller()
    for path, member in (
        ("refresh", "refresh"),
        ("verify", "token"),
        ("blacklist", "refresh"),
        ("revoke", "token"),
    ):
        for name, value in (
            ("good", sessions.start(ada).raw_refresh),
            ("bad", "bad"),
            ("access", sessions.start(ada).raw_access),
        ):
            answer = anyone.post(f"/api/token/{path}/", {member: value}, format="json")
            yield f"{path} {name}", answer
        yield f"{path} missing", anyone.post(f"/api/token/{path}/", {}, format="json")
        form = anyone.post(f"/api/token/{path}/", {member: "bad"}, format="multipart")
        yield f"{path} form", form


def _introspection(ada: Any) -> Iterator[tuple[str, Any]]:
    pair = sessions.start(ada)
    body = {"token": pair.raw_access}
    yield "introspect, anonymous", _Caller().post("/api/token/introspect/", body, format="json")
    bad = _Caller(HTTP_AUTHORIZATION="Bearer bad")
    yield "introspect, bad", bad.post("/api/token/introspect/", body, format="json")
    caller = _bearer(pair)
    yield "introspect, forbidden", caller.post("/api/token/introspect/", body, format="json")
    ada.user_permissions.add(Permission.objects.get(codename="introspect_token"))
    yield "introspect", caller.post("/api/token/introspect/", body, format="json")
    yield (
        "introspect, bad token",
        caller.post("/api/token/introspect/", {"token": "bad"}, format="json"),
    )


def _by_cookie(right: dict[str, str]) -> Iterator[tuple[str, Any]]:
    browser = _Caller(enforce_csrf_checks=True)
    yield "cookie sign-in, no CSRF", browser.post("/api/token/cookie/", right, format="json")
    answer = browser.get("/api/token/cookie/")
    yield "cookie CSRF", answer
    browser.credentials(HTTP_X_CSRFTOKEN=answer.cookies["csrftoken"].value)
    answer = browser.post("/api/token/cookie/", right, format="json")
    yield "cookie sign-in", answer
    yield "cookie, CSRF of before", browser.post("/api/token/cookie/refresh/")
    browser.credentials(HTTP_X_CSRFTOKEN=browser.cookies["csrftoken"].value)
    yield "cookie refresh", browser.post("/api/token/cookie/refresh/")
    yield "cookie call", browser.get("/api/sessions/?cursor=bad")
    yield "cookie sign-out", browser.post("/api/logout/")
    yield "cookie refresh after", browser.post("/api/token/cookie/refresh/")


def _own_sessions(ada: Any) -> Iterator[tuple[str, Any]]:
    sessions.end_all(ada, reason=EndReason.REVOKED)
    for _ in range(WHOLE_PAGE + 1):
        pair = sessions.start(ada)
    caller = _bearer(pair)
    yield "sessions, anonymous", _Caller().get("/api/sessions/")
    yield "sessions, bad", _Caller(HTTP_AUTHORIZATION="Bearer bad").get("/api/sessions/")
    answer = caller.get("/api/sessions/")
    yield "sessions", answer
    yield "sessions, page 2", caller.get(answer.json()["next"].removeprefix("http://testserver"))
    yield "sessions, bad cursor", caller.get("/api/sessions/?cursor=bad")
    yield "sessions, ordered", caller.get("/api/sessions/?ordering=id&search=x&limit=1&page=9")
    other = sessions.start(ada)
    own = f"/api/sessions/{other.session.pk}/"
    yield "end a session, anonymous", _Caller().delete(own)
    yield "name a session, anonymous", _Caller().patch(own, {"name": "x"}, format="json")
    yield "name a session", caller.patch(own, {"name": "My phone"}, format="json")
    yield "name a session by form", caller.patch(own, {"name": "é"}, format="multipart")
    yield "name a session, too long", caller.patch(own, {"name": "x" * 61}, format="json")
    yield "end a session", caller.delete(own)
    yield "end it again", caller.delete(own)
    yield "sign out", _bearer(sessions.start(ada)).post("/api/logout/")
    yield "sign out twice", _Caller().post("/api/logout/")
    yield (
        "sign out by body",
        _Caller().post(
            "/api/logout/", {"refresh": sessions.start(ada).raw_refresh}, format="multipart"
        ),
    )
    yield "sign out others, anonymous", _Caller().post("/api/logout/others/")
    yield "sign out others", caller.post("/api/logout/others/")
    yield "sign out everywhere", caller.post("/api/logout/all/")
    yield "sessions, signed out", caller.get("/api/sessions/")


def _pages(ada: Any, right: dict[str, str]) -> Iterator[tuple[str, Any]]:
    browser = _Caller()
    yield "page sign-in", browser.get("/api/login/", HTTP_ACCEPT=HTML)
    wrong = {**right, "password": "wrong"}
    yield "page sign-in wrong", browser.post("/api/login/", wrong, format="multipart")
    yield "page signed in", browser.post("/api/login/", right, format="multipart")
    yield "page sessions", browser.get("/api/sessions/", HTTP_ACCEPT=HTML)
    yield "page me", browser.get("/api/me/", HTTP_ACCEPT=HTML)
    yield "page password", browser.get("/api/me/password/", HTTP_ACCEPT=HTML)
    for do in ("others", "everywhere"):
        forms = browser.post("/api/sessions/page/", {"do": do}, format="multipart")
        yield f"page asks {do}", forms
    zone = {"do": "zone", "zone": "Asia/Tokyo"}
    yield "page zone", browser.post("/api/sessions/page/", zone, format="multipart")
    yield "page zone, chosen", browser.get("/api/sessions/", HTTP_ACCEPT=HTML)
    yield "page continue", browser.post("/api/login/continue/")
    yield "page of the project", browser.get("/api/own/", HTTP_ACCEPT=HTML)
    yield "page of the project, elsewhere", browser.get("/own/")
    yield "page token", browser.get("/api/token/", HTTP_ACCEPT=HTML)
    yield "page sign-out", browser.post("/api/logout/page/")
    yield "page sessions, anonymous", _Caller().get("/api/sessions/", HTTP_ACCEPT=HTML)


def _password(ada: Any) -> Iterator[tuple[str, Any]]:
    caller = _bearer(sessions.start(ada))
    change = {"current_password": "wrong", "new_password": "another staple of a battery"}
    yield "password, anonymous", _Caller().post("/api/me/password/", change, format="json")
    yield "password, wrong", caller.post("/api/me/password/", change, format="json")
    change["current_password"] = PASSWORD
    yield "password", caller.post("/api/me/password/", change, format="multipart")


def _keys() -> Iterator[tuple[str, Any]]:
    address = "/.well-known/jwks.json"
    answer = _Caller().get(address)
    yield "keys", answer
    yield "keys again", _Caller().get(address, HTTP_IF_NONE_MATCH=answer["ETag"])
    yield "keys in HTML", _Caller().get(f"{address}?format=html", HTTP_ACCEPT=HTML)
    yield "keys HEAD", _Caller().head(address)
    yield "keys POST", _Caller().post(address)


def _methods(ada: Any) -> Iterator[tuple[str, Any]]:
    caller = _bearer(sessions.start(ada))
    for path in ("token/", "token/refresh/", "token/introspect/", "sessions/", "login/"):
        for method in ("options", "put"):
            yield f"{method} {path}", getattr(caller, method)(f"/api/{path}")
