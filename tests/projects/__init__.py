"""
Small Django projects, each run in a process of its own by a test.

``bare`` has the app and little else, ``tokens_first`` lists the app before Django's own,
``other_users`` has another user model and two databases, ``replica`` reads from a replica, and
``snapshot`` is this project in snapshot mode.
"""
