"""
Request smuggling: a request with two possible ends, one for a proxy and another for gunicorn.

The smuggled request would end the honest session. It carries the honest token, as it would behind a
proxy that shares a connection with a victim. Only refusals come back, and the session goes on.
"""

import pytest

from .arena import Arena, assert_refusal, known_from

pytestmark = pytest.mark.usefixtures("nothing_changes")

# gunicorn handles the bytes that it has already read only when more arrive.
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

# Headers of the outer request, and its body without the smuggled request.
BORDERS: dict[str, tuple[str, bytes, bytes]] = {
    "CL.TE": ("CVE-2024-1135, CVE-2024-6827", b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n"),
    "TE.CL": ("CVE-2024-1135", CHUNKED + b"Content-Length: 4\r\n", b"1\r\nx\r\n0\r\n\r\n"),
    "two lengths": ("RFC 9112 §6.3", b"Content-Length: 2\r\nContent-Length: 0\r\n", b"{}"),
    "a list of lengths": ("RFC 9112 §6.3", b"Content-Length: 2, 0\r\n", b"{}"),
    "a negative length": ("CWE-444", b"Content-Length: -1\r\n", b""),
    "a length with a sign": ("CWE-444", b"Content-Length: +2\r\n", b"{}"),
    "a length in hexadecimal": ("CWE-444", b"Content-Length: 0x2\r\n", b"{}"),
    "a length with an underscore": ("CWE-444", b"Content-Length: 1_0\r\n", b"{}"),
    "a length in Arabic-Indic digits": ("CWE-444", "Content-Length: ٢\r\n".encode(), b"{}"),
    "an unknown coding": ("CVE-2024-1135", b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "chunked and then another": (
        "CVE-2024-1135",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"0\r\n\r\n",
    ),
    "chunked twice": ("CVE-2024-6827", CHUNKED + CHUNKED, b"0\r\n\r\n"),
    "two codings in two headers": (
        "CVE-2024-6827",
        CHUNKED + b"Transfer-Encoding: identity\r\n",
        b"0\r\n\r\n",
    ),
    "a coding after a vertical tab": (
        "gunicorn #3364",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"0\r\n\r\n",
    ),
    "a space before the colon": (
        "RFC 9112 §5.1",
        b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n",
        b"",
    ),
    "a folded header": (
        "RFC 9112 §5.2",
        b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n",
        b"",
    ),
    "an underscore in the name": (
        "CWE-444",
        b"Transfer_Encoding: chunked\r\nContent_Length: 5\r\nContent-Length: x\r\n",
        b"",
    ),
    "a NUL in a header": ("CWE-158", b"X-A: a\x00b\r\n", b""),
    "a bare CR in a header": ("CVE-2018-1000164, CWE-113", b"X-A: a\rX-B: b\r\n", b""),
    "a chunk of a negative size": ("CWE-444", CHUNKED, b"-1\r\n\r\n"),
    "a chunk with 0x": ("CWE-444", CHUNKED, b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a chunk with an underscore": ("CWE-444", CHUNKED, b"0_2\r\n{}\r\n0\r\n\r\n"),
    "a chunk without its end": ("CWE-444", CHUNKED, b"2\r\n{}XX0\r\n\r\n"),
    "a chunk extension with a line feed": ("gunicorn #3327", CHUNKED, b"2;\n{}\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("name", BORDERS)
@known_from("CWE-444, RFC 9112 §11.2", each={name: border[0] for name, border in BORDERS.items()})
def test_a_request_with_two_borders_is_refused_and_nothing_behind_it_runs(
    arena: Arena, name: str
) -> None:
    _, headers, body = BORDERS[name]
    smuggled = (
        f"DELETE /api/sessions/{arena.honest.session.pk}/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {arena.honest.raw_access}\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    outer = (
        b"POST /api/token/refresh/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nAccept: application/json\r\n"
    )
    request = outer + headers + b"\r\n" + body + smuggled
    answer = arena.client.raw(request, HEALTH, hang_up=False)
    assert answer.is_json
    # A body that cannot be read is a 400. gunicorn then closes the connection, because it is
    # unknown where the next request begins.
    assert set(answer.statuses) <= {400, 401}, answer


@known_from("RFC 9112 §6.3")
def test_two_honest_requests_on_one_connection_are_both_answered(arena: Arena) -> None:
    """Otherwise these attacks would see one answer wherever gunicorn ended the request."""
    last = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answer = arena.client.raw(HEALTH + HEALTH, last, hang_up=False)
    assert answer.statuses == (200, 200, 200)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /api/me/\r\n",
        b"GET /api/me/ HTTP/9.9\r\n",
        b"GET  /api/me/  HTTP/1.1\r\n",
        b"GET /api/me/ HTTP/1.1 x\r\n",
        b"GET\t/api/me/\tHTTP/1.1\r\n",
        b"GE\x00T /api/me/ HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET /api/me/ HTTP/1.1\r\n",
    ],
    ids=ascii,
)
@known_from("RFC 9112 §3, CWE-444")
def test_an_invalid_request_line_is_refused(arena: Arena, line: bytes) -> None:
    assert_refusal(arena.client.raw(line + b"Host: 127.0.0.1\r\n\r\n"))


@pytest.mark.parametrize("path", ["/api/%0d%0aSet-Cookie:a=b", "/api/me/%0aX-A:b", "/%0d%0a/"])
@known_from("CVE-2018-1000164, CWE-113")
def test_no_path_injects_a_header_into_the_answer(arena: Arena, path: str) -> None:
    answer = arena.client.get(path)
    assert answer.status in {401, 404}
    assert "set-cookie" not in answer.head.lower()
    assert "x-a" not in answer.head.lower().replace("x-accel", "")
