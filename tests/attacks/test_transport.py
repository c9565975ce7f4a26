"""Transport: a token in the wrong place of a request, and hostile headers, methods and paths."""

import json

import pytest

from .arena import Arena, assert_refusal, known_from

pytestmark = pytest.mark.usefixtures("nothing_changes")

MEGABYTE = 1 << 20
ANONYMOUS = "Authentication credentials were not provided."


@pytest.mark.parametrize("name", ["access_token", "token", "jwt", "bearer_token", "Authorization"])
@known_from("RFC 6750 §2.3, RFC 9700 §4.3.2")
def test_a_token_in_the_query_string_is_not_taken(arena: Arena, name: str) -> None:
    answer = arena.client.get(f"/api/me/?{name}={arena.honest.raw_access}")
    assert_refusal(answer)
    assert answer.json()["detail"] == ANONYMOUS


@pytest.mark.parametrize("path", ["/api/token/refresh/", "/api/token/blacklist/"])
@known_from("RFC 9700 §4.3.2")
def test_a_refresh_token_in_the_query_string_is_not_taken(arena: Arena, path: str) -> None:
    answer = arena.client.send("POST", f"{path}?refresh={arena.honest.raw_refresh}", body=b"{}")
    assert_refusal(answer)
    assert answer.json() == {"refresh": ["This field is required."]}


@known_from("RFC 6750 §2.2")
def test_an_access_token_in_a_form_is_not_taken(arena: Arena) -> None:
    body = f"access_token={arena.honest.raw_access}".encode()
    form = ("Content-Type", "application/x-www-form-urlencoded")
    for path in ("/api/logout/", "/api/logout/all/"):
        assert_refusal(arena.client.send("POST", path, form, body=body), path)


@pytest.mark.parametrize(
    "name",
    [
        "X-Authorization",
        "X-Access-Token",
        "X-Auth-Token",
        "X-Forwarded-Authorization",
        "X-Original-Authorization",
        "Proxy-Authorization",
        "WWW-Authenticate",
        "HTTP_AUTHORIZATION",
        "Authorization_",
        "Authorizatio\u006e ",
    ],
)
@known_from("CWE-436, gunicorn header_map")
def test_a_token_in_another_header_is_not_taken(arena: Arena, name: str) -> None:
    raw = f"Bearer {arena.honest.raw_access}"
    assert_refusal(arena.client.send("GET", "/api/me/", (name, raw)))


@pytest.mark.parametrize("name", ["jwt", "token", "Authorization", "sessionid", "auth"])
@known_from("RFC 8725 §2.8, CWE-384")
def test_a_token_in_a_cookie_of_any_name_is_not_taken(arena: Arena, name: str) -> None:
    cookie = ("Cookie", f"{name}={arena.honest.raw_access}")
    assert_refusal(arena.client.send("GET", "/api/me/", cookie))
    assert_refusal(arena.client.send("POST", "/api/logout/", cookie, body=b"{}"))


@pytest.mark.parametrize(
    "credential",
    [
        "Basic {}",
        "Token {}",
        "JWT {}",
        "DPoP {}",
        "Negotiate {}",
        "{}",
        "Bearer",
        "Bearer:{}",
        "Bearer={}",
        "Bearer,{}",
        "Bearer{}",
        "BearerX {}",
        "Bearer token={}",
        'Bearer "{}"',
        "Bearer {} {}",
        "Bearer {},{}",
        "Bearer {}, Basic eDp5",
        "Basic eDp5, Bearer {}",
        "Bearer Bearer {}",
        "Bearer\xa0{}",
        "Bearer\x85{}",
        "Bearer\x0b{}",
        "Bearer\x1f{}",
        "\xa0Bearer {}",
        "Bearer {}\x00",
        "B\u0435arer {}",
    ],
    ids=ascii,
)
@known_from("RFC 6750 §2.1, RFC 9110 §11.4")
def test_a_credential_of_another_form_is_not_taken(arena: Arena, credential: str) -> None:
    raw = arena.honest.raw_access
    header = ("Authorization", credential.replace("{}", raw))
    assert_refusal(arena.client.send("GET", "/api/me/", header))


@pytest.mark.parametrize("order", ["good first", "bad first", "the same twice", "none first"])
@known_from("RFC 9110 §5.3, CWE-235")
def test_two_authorization_headers_are_refused(arena: Arena, order: str) -> None:
    good, bad = f"Bearer {arena.honest.raw_access}", "Bearer x.y.z"
    values = {
        "good first": (good, bad),
        "bad first": (bad, good),
        "the same twice": (good, good),
        "none first": ("", good),
    }[order]
    headers = [("Authorization", value) for value in values]
    assert_refusal(arena.client.send("GET", "/api/me/", *headers), order)


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Filler", "User-Agent", "Accept"])
@known_from("CWE-770, CVE-2025-61920")
def test_a_header_of_a_megabyte_is_refused(arena: Arena, name: str) -> None:
    value = "Bearer " + "a" * MEGABYTE
    assert_refusal(arena.client.send("GET", "/api/me/", (name, value)), name)


@known_from("CWE-770")
def test_thousands_of_headers_are_refused(arena: Arena) -> None:
    headers = [(f"X-{number}", "a") for number in range(5000)]
    assert_refusal(arena.client.send("GET", "/api/me/", *headers))


@known_from("CWE-770")
def test_a_path_of_a_megabyte_is_refused(arena: Arena) -> None:
    assert_refusal(arena.client.get("/api/me/?" + "a" * MEGABYTE))


@pytest.mark.parametrize(
    "header",
    [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("X-Method-Override", "DELETE"),
    ],
    ids=lambda header: str(header[0]),
)
@known_from("OWASP WSTG-CONF-06")
def test_no_header_turns_a_request_into_another(arena: Arena, header: tuple[str, str]) -> None:
    path = f"/api/sessions/{arena.honest.session.pk}/"
    for method in ("GET", "POST"):
        body = json.dumps({"_method": "DELETE"}).encode()
        answer = arena.client.send(method, path, header, body=body, bearer=arena.honest.raw_access)
        assert (answer.status, answer.is_json) == (405, True)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get", "HEAD", "X"])
@known_from("OWASP WSTG-CONF-06, CWE-693")
def test_no_method_lets_an_anonymous_caller_in(arena: Arena, method: str) -> None:
    answer = arena.client.send(method, "/api/me/")
    assert answer.status in {400, 401, 405}
    assert answer.is_json
    assert "honest" not in answer.body.decode()


@pytest.mark.parametrize(
    "path",
    [
        "//api/me/",
        "/api//me/",
        "/api/./me/",
        "/x/../api/me/",
        "/api/me/..;/",
        "/api/me;/",
        "/api/me%2f",
        "/api/%6de/",
        "/api/me/%00",
        "/API/ME/",
        "/api/me/.json",
        "/healthz/../api/me/",
        "/api/me/#/healthz",
        "http://127.0.0.1/api/me/",
        "http://evil.example/api/me/",
    ],
)
@known_from("OWASP WSTG-ATHZ-02, CVE-2018-14574")
def test_no_spelling_of_a_path_lets_an_anonymous_caller_in(arena: Arena, path: str) -> None:
    answer = arena.client.get(path)
    assert (answer.status in {400, 401, 404}, answer.is_json) == (True, True), answer
    assert "evil.example" not in answer.head


@pytest.mark.parametrize("path", ["//evil.example/", "//evil.example/..", "/\\evil.example/"])
@known_from("CVE-2018-14574")
def test_no_path_redirects_to_another_host(arena: Arena, path: str) -> None:
    answer = arena.client.get(path)
    assert answer.status in {400, 404}
    assert "location:" not in answer.head.lower()


@pytest.mark.parametrize("name", ["Script-Name", "SCRIPT_NAME", "PATH_INFO", "X-Original-URL"])
@known_from("CWE-436, gunicorn forwarder_headers")
def test_no_header_moves_a_request_to_another_address(arena: Arena, name: str) -> None:
    for value in ("/api", "/elsewhere", "/healthz"):
        assert_refusal(arena.client.send("GET", "/api/me/", (name, value)), value)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1@evil.example", "127.0.0.1:80:90", "[::1", "", "a" * 8000, "\xff"],
    ids=lambda host: ascii(host)[:30],
)
@known_from("CVE-2016-9014, OWASP WSTG-INPV-17")
def test_another_host_is_refused(arena: Arena, host: str) -> None:
    answer = arena.client.send("POST", "/api/token/refresh/", ("Host", host), body=b"{}")
    assert_refusal(answer, host)
    assert "evil" not in answer.head


@known_from("OWASP WSTG-INPV-17")
def test_a_forwarded_host_is_not_trusted(arena: Arena) -> None:
    forwarded = [("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example")]
    bearer = arena.honest.raw_access
    answer = arena.client.send("GET", "/api/sessions/", *forwarded, bearer=bearer)
    assert answer.status == 200
    assert b"evil" not in answer.body


@known_from("CWE-942, PortSwigger CORS")
def test_no_origin_is_let_in_that_was_not_named(arena: Arena) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        answer = arena.client.send("GET", "/api/me/", ("Origin", origin))
        assert_refusal(answer, origin)
        assert "access-control-allow" not in answer.head.lower()
