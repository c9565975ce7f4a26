"""
Measure a call of ``verify`` beside PyJWT's ``decode``, with 100,000 denials.

``python -m bench`` takes rounds in turns, and fails if a figure falls short: the best round for a token that was
seen, and the median ratio for a new one.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import jwt
from tests.authority import AUDIENCE, ISSUER, Authority

from tests.conftest import Clock, Reader

CALLS, ROUNDS, DENIALS = 2000, 15, 100_000
SEEN_AT_MOST, NEW_AT_MOST = 2.0, 1.5  # Microseconds; times PyJWT's decode.


def microseconds(call: Callable[[], object], calls: int) -> float:
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begun) / calls * 1e6


def main() -> int:
    clock, authority = Clock(), Authority()
    clock.now = time.time()
    reader = Reader(authority, clock)
    until = int(clock.now) + 300
    authority.entries = [
        ("sid", f"{number:032x}", until - number % 300) for number in range(DENIALS)
    ]
    reader.accept(authority.document())
    verifier = reader.verifier
    verifier.clock, verifier.ticks = time.time, time.monotonic
    verifier._until, verifier._until_ticks = time.time() + 300, time.monotonic() + 300
    token, key = authority.token(), verifier._keys["first"]
    fresh = iter([authority.token(jti=str(number)) for number in range(ROUNDS * CALLS // 10)])

    def decode() -> object:
        return jwt.decode(token, key, ["ES256"], audience=AUDIENCE, issuer=ISSUER)

    seen, new, plain = [], [], []
    for _ in range(ROUNDS):
        seen.append(microseconds(lambda: verifier.verify(token), CALLS * 10))
        new.append(microseconds(lambda: verifier.verify(next(fresh)), CALLS // 10))
        plain.append(microseconds(decode, CALLS // 10))
    ratio = median(one / other for one, other in zip(new, plain, strict=True))
    print(f"{DENIALS:,} denials, ES256, Python {sys.version.split()[0]}, PyJWT {jwt.__version__}")
    print(f"a token that was seen: {min(seen):.2f} us (at most {SEEN_AT_MOST})")
    print(
        f"a new token: {median(new):.0f} us, {ratio:.2f} times PyJWT's decode (at most {NEW_AT_MOST})"
    )
    return int(min(seen) > SEEN_AT_MOST or ratio > NEW_AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
