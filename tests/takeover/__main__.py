"""
``python -m tests.takeover``: take over real sites of simplejwt, and print what was seen.

    --users      the users of each site, by default 1,000
    --parallel   how many of them refresh by eight calls at once, by default 100
    --clients    the clients of the switch under load, by default 200
"""

import argparse
import json
from importlib.metadata import version

from tests.support.services import engine_server, temporary_database

from .live import switch_and_return
from .running import story


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=100)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    options = parser.parse_args()
    print(f"djangorestframework-simplejwt {version('djangorestframework-simplejwt')}")
    for engine in options.engine or ("sqlite", "postgresql"):
        with engine_server(engine) as server:
            for variant in ("hs256", "rs256"):
                for atomic in (False, True):
                    with temporary_database(server) as url:
                        found = story(
                            url,
                            variant,
                            users=options.users,
                            parallel=options.parallel,
                            forgeries=20,
                            atomic=atomic,
                        )
                    print(variant, "ATOMIC_REQUESTS" if atomic else "", json.dumps(found, indent=2))
            with temporary_database(server) as url:
                seen = switch_and_return(url, clients=options.clients)
            print("a switch under load, and back", json.dumps(seen, indent=2))


if __name__ == "__main__":
    main()
