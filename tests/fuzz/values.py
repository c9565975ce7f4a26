"""The values from which random requests are made: usual ones, and those that fail somewhere."""

# It begins every value that no log may hold.
MARKER = "s3cr3t"

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
ODD_METHODS = ["TRACE", "CONNECT", "PROPFIND", "get", "X", "G@T", "GET\x00", "", "A" * 300]
PATHS = [
    *("/", "/admin/", "/admin/login/", "/healthz", "/readyz", "/nowhere", "/static/x.css"),
    *("/api/", "/api/me/", "/api/me/password/", "/api/sessions/", "/api/schema/", "/api/docs/"),
    *("/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/revoke/"),
    *("/api/token/blacklist/", "/api/token/introspect/", "/api/token/cookie/"),
    *("/api/token/cookie/refresh/", "/api/logout/", "/api/logout/all/", "/api/login/"),
    *("/api/sessions/00000000-0000-4000-8000-000000000000/", "/api/logout/page/", "/api/nowhere/"),
    *("/api/logout/others/", "/api/sessions/page/", "/api/login/continue/"),
    *("/.well-known/jwks.json", "/.well-known/nowhere"),
]
CHARSETS = [
    *("utf-8", "latin-1", "rot13", "zlib", "hex", "base64", "bz2", "uu", "idna", "punycode"),
    *("undefined", "utf-16", "utf-32", "utf-7", "cp037", "unicode_escape", "nonsense", "", '"'),
    *("utf-8; charset=rot13", "a" * 500, "\xff", "utf\t8", "quopri", "mbcs", "hz", "iso2022_jp"),
]
MEDIA_TYPES = [
    *("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"),
    *(
        "text/plain",
        "multipart/form-data",
        "application/xml",
        "nonsense",
        "*/*",
        "",
        ";",
        "a/b;;=;",
    ),
    *("application/json; x*=idna''a%ff", "a/b; charset*=utf-8''rot13", "a/b; charset*0=rot"),
]
ACCEPTS = [
    *("application/json", "*/*", "text/html", "application/xml", "", "text/html;q=0.1, */*;q=0.1"),
    *(
        "application/json; indent=9999999",
        "a" * 5000,
        "application/json;q=x",
        ",,,;;;=",
        "\xff/\xff",
    ),
]
HEADERS: dict[str, list[str]] = {
    "Accept": ACCEPTS,
    "Accept-Encoding": ["gzip", "identity;q=0", "\x80"],
    "Accept-Language": ["en", "xx-yy;q=9", "a" * 600, "../../x"],
    "Access-Control-Request-Headers": ["authorization", "x" * 999],
    "Access-Control-Request-Method": ["GET", "\xff"],
    "Connection": ["close", "keep-alive", "upgrade", "keep-alive, x"],
    "Expect": ["100-continue", "x"],
    "Forwarded": ["for=1.2.3.4;host=evil.example"],
    "If-Modified-Since": ["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Jan 0000 99:99:99 GMT", "x"],
    "If-None-Match": ["*", '"x"', 'W/"', '"' * 99],
    "Origin": ["null", "https://evil.example", "https://[", "x"],
    "Range": ["bytes=0-0", "bytes=9-1", "x"],
    "Referer": [f"https://evil.example/?{MARKER}", f"x?{MARKER}", "https://["],
    "TE": ["trailers"],
    "Upgrade": ["websocket", "h2c"],
    "User-Agent": ["curl/8", "", "\xff\xfe", "a" * 3000],
    "X-CSRFToken": ["x" * 32, "x" * 64, "\xff"],
    "X-Forwarded-For": ["1.2.3.4", "1.2.3.4:80", "[::1]:80, x", "fe80::1%eth0", "\xff"],
    "X-Forwarded-Host": ["evil.example"],
    "X-Forwarded-Proto": ["https", "x"],
    "X-HTTP-Method-Override": ["DELETE"],
    "X-Request-ID": ["0123456789", "\xff", "a b"],
    "X-Requested-With": ["XMLHttpRequest"],
}
# The host is no secret and is logged, as is the origin.
HOSTS = ["evil.example", "127.0.0.1:99999", "[::1", "", "a" * 300, "127.0.0.1, x", "\xff", "@"]
COOKIES = ["latchkey_access", "latchkey_refresh", "latchkey_logout", "sessionid", "csrftoken"]
FIELDS = ["username", "password", "refresh", "token", "csrfmiddlewaretoken", "new_password", "next"]
