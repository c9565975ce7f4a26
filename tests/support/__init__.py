"""
Helpers of the tests; nothing here is collected as a test.

``clients`` and ``processes`` run the site and send it requests, ``servers`` and ``services`` start
PostgreSQL and Redis, ``forging`` and ``hostile`` make the tokens that must be refused, ``no_limits``
switches the limits off, and ``racer`` and ``dying_rotator`` are programs that tests start.
"""
