"""A charset that nothing can be decoded with is a 400, and the query appears in no log."""

from uuid import uuid4

import pytest

from .conftest import Served

# Codecs that turn bytes into bytes or text into text, raise always, or read another query.
CHARSETS = [
    *("rot13", "zlib", "bz2", "hex", "base64", "uu", "quopri"),
    *("idna", "punycode", "undefined", "utf-16", "utf-32", "cp037"),
]
PARAMETERS = [*(f"charset={name}" for name in CHARSETS), "charset*=utf-8''rot13", "x*=idna''x%ff"]


@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize("path", ["/api/me/", "/api/token/", "/healthz", "/admin/", "/nowhere"])
def test_a_charset_that_cannot_be_decoded_is_a_400(
    served: Served, path: str, parameter: str
) -> None:
    secret = uuid4().hex
    content_type = ("Content-Type", f"text/plain; {parameter}")
    answer = served.client.send("GET", f"{path}?token={secret}", content_type)
    assert (answer.status, answer.is_json) == (400, True)
    assert "\r\nx-request-id: " in answer.head.lower()
    assert answer.json()["detail"].startswith("The Content-Type of the request is malformed")
    assert secret not in served.printed()
    assert "Traceback" not in served.printed()


@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("charset", CHARSETS[:10])
def test_so_it_is_with_a_body_and_no_query(served: Served, charset: str, media_type: str) -> None:
    content_type = ("Content-Type", f"{media_type}; charset={charset}")
    for path in ("/api/token/refresh/", "/admin/login/"):
        answer = served.client.send("POST", path, content_type, body=b'--b\r\n{"refresh": "x"}')
        assert (answer.status, answer.is_json) == (400, True)


def test_more_fields_than_django_reads_are_a_400_with_any_charset(served: Served) -> None:
    for charset in ("utf-8", "rot13", "nonsense"):
        content_type = ("Content-Type", f"text/plain; charset={charset}")
        answer = served.client.send("GET", "/api/sessions/?" + "a&" * 1001, content_type)
        # 401: the query was not read.
        assert (answer.status in {400, 401}, answer.is_json) == (True, True)
    assert "Traceback" not in served.printed()


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", '"utf-8"', "iso-8859-1", "nonsense"])
def test_a_charset_of_text_and_an_unknown_one_do_no_harm(served: Served, charset: str) -> None:
    content_type = ("Content-Type", f"text/plain; charset={charset}")
    assert served.client.send("GET", "/healthz?a=b", content_type).status == 200


def test_the_access_log_has_the_address_without_its_query(served: Served) -> None:
    secret, nonce = uuid4().hex, uuid4().hex
    assert served.client.get(f"/api/{nonce}/?token={secret}").status == 404
    assert f"/api/{nonce}/" in served.printed()
    assert secret not in served.printed()


@pytest.mark.parametrize(
    "request_line", ["GET /healthz?{} HTTP/9.9", "GET  /healthz?{}", "G\x01T /?{} HTTP/1.1"]
)
def test_a_request_line_that_is_refused_is_not_logged(served: Served, request_line: str) -> None:
    secret = uuid4().hex
    raw = f"{request_line.format(secret)}\r\nHost: 127.0.0.1\r\n\r\n".encode()
    # uvicorn answers any version of HTTP.
    assert set(served.client.raw(raw).statuses) <= {200, 400}
    assert secret not in served.printed()


@pytest.mark.parametrize("header", ["Authorization: Bearer {}\x00", "X {}: a", " {}"])
def test_a_header_that_is_refused_is_not_logged(served: Served, header: str) -> None:
    secret = uuid4().hex
    raw = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n{header.format(secret)}\r\n\r\n".encode()
    assert set(served.client.raw(raw).statuses) == {400}
    assert secret not in served.printed()
