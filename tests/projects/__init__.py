"""
Small Django projects. A test runs each in its own process.

``bare`` has the app and little else. ``tokens_first`` lists the app before Django's own apps.
``another_path`` has the app at another dotted path, ``another_label`` under another label: both run
``story`` with the settings of ``with_admin``. ``local_times`` has a database connection that is not
in UTC. ``other_users`` has another user model and two databases. ``replica`` reads from a replica. ``snapshot`` is Latchkey's own project in snapshot mode.
"""
