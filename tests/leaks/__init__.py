"""
Make every door fail in every way, and search all reports of it for what went in.

    doors       the requests and commands that a token or a password passes through
    failures    what breaks while one of them runs
    reports     Django's pages and mail, the events of sentry-sdk, log records
    stories     runs each door with each failure, and returns what was found

``python -m tests.leaks`` prints the findings.
"""
