"""
A service that asks the Python verifier about each token it is given.

Arguments: the authority, issuer, audience, and the bound in seconds. A line of input has a name, a token and
perhaps a number. Without the number, the verifier is asked until it refuses the token. With it, it is asked so
many times, and each word is counted. A line of output has the name, a word and the time.
"""

import sys
import threading
import time
from collections import Counter

from latchkey_verify import InvalidToken, Verifier, VerifyError  # On the path of this process only.

PAUSE = 0.002


def say(name: str, word: str) -> None:
    sys.stdout.write(f"{name} {word} {time.time()}\n")
    sys.stdout.flush()


def main() -> None:
    authority, issuer, audience, bound = sys.argv[1:]
    watched: dict[str, str] = {}

    def ask(token: str, number: int) -> str:
        said: Counter[str] = Counter()
        for _ in range(number):
            try:
                verifier.verify(token)
                said["accepted"] += 1
            except VerifyError as error:
                said[type(error).__name__] += 1
        return ",".join(f"{word}:{count}" for word, count in said.items())

    def listen() -> None:
        for line in sys.stdin:
            name, token, *number = line.split()
            if number:
                say(name, ask(token, int(number[0])))
                continue
            try:
                verifier.verify(token)
            except VerifyError as error:
                say(name, f"not-accepted:{error}".replace(" ", "-"))
            else:
                watched[name] = token
                say(name, "accepted")

    verifier = Verifier(authority, issuer=issuer, audience=audience, bound=float(bound))
    verifier.start()
    threading.Thread(target=listen, daemon=True).start()
    while True:
        for name, token in list(watched.items()):
            try:
                verifier.verify(token)
            except InvalidToken:
                del watched[name]
                say(name, "refused")
            except VerifyError as error:
                del watched[name]
                say(name, type(error).__name__)
        time.sleep(PAUSE)


main()
