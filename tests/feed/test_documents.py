"""A document of the feed, read by another library."""

import base64
from hashlib import sha256
from typing import Any

import jwt

from tokens.feed.documents import (
    Denial,
    digest_of,
    digest_of_all,
    payload_of,
    sign_document,
)
from tokens.jose import load_key
from tokens.keyring import jwk

SESSION = Denial("sid", "11111111-1111-4111-8111-111111111111")
TOKEN = Denial("jti", "1111111111114111811111111111111.4a")
KEY = Denial("kid", "a-key")
EVERYBODY = Denial("cut", None, 1_800_000_000)
USER = Denial("cut", "7 of 9", 1_800_000_000)


def document_of(denials: dict[Denial, int], **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "issuer": "latchkey",
        "at": 1_800_000_000_123,
        "epoch": "e",
        "after": None,
        "to": "c",
        "count": len(denials),
        "digest": digest_of_all(denials),
    }
    return payload_of(denials.items(), **values | changes)


def first_16_bytes(text: str) -> bytes:
    return sha256(text.encode()).digest()[:16]


def test_the_digest_of_a_denial_is_that_of_its_text() -> None:
    texts = {
        SESSION: "sid 11111111-1111-4111-8111-111111111111 1800000300",
        TOKEN: "jti 1111111111114111811111111111111.4a 1800000300",
        KEY: "kid a-key 1800000300",
        EVERYBODY: "all 1800000000 1800000300",
        USER: "cut 7 of 9 1800000000 1800000300",
        Denial("cut", "*", 1_800_000_000): "cut * 1800000000 1800000300",
    }
    for denial, text in texts.items():
        assert digest_of(denial, 1_800_000_300).to_bytes(16) == first_16_bytes(text)


def test_the_digest_of_all_does_not_depend_on_their_order() -> None:
    denials = {SESSION: 10, TOKEN: 20, EVERYBODY: 30}
    backwards = dict(reversed(denials.items()))
    assert digest_of_all(denials) == digest_of_all(backwards) != digest_of_all({SESSION: 10})
    assert digest_of_all({}) == 0
    assert document_of({})["digest"] == "A" * 22


def test_a_payload_has_the_ids_by_kind_and_instant() -> None:
    payload = document_of({SESSION: 10, KEY: 10, TOKEN: 20, EVERYBODY: 30, USER: 40})
    assert payload["denied"] == {
        "sid": {"10": [SESSION.id]},
        "jti": {"20": [TOKEN.id]},
        "kid": {"10": [KEY.id]},
    }
    assert payload["cut_offs"] == [
        {"sub": None, "before": 1_800_000_000, "until": 30},
        {"sub": "7 of 9", "before": 1_800_000_000, "until": 40},
    ]
    digest = base64.urlsafe_b64decode(payload["digest"] + "==")
    assert len(payload["digest"]) == 22
    assert int.from_bytes(digest) == digest_of_all(
        {SESSION: 10, KEY: 10, TOKEN: 20, EVERYBODY: 30, USER: 40}
    )


def test_a_document_verifies_with_the_published_key() -> None:
    for algorithm in ("ES256", "EdDSA"):
        private = jwk.make(algorithm)
        document = sign_document(document_of({SESSION: 10}), key=load_key(private))
        public = jwt.PyJWK.from_dict(dict(jwk.public(private) or {}))
        assert jwt.get_unverified_header(document) == {
            "alg": algorithm,
            "kid": private["kid"],
            "typ": "denials+jwt",
        }
        read = jwt.decode(document, public, algorithms=[algorithm], issuer="latchkey")
        assert read == document_of({SESSION: 10})
