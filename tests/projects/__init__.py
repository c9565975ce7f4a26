"""
Small Django projects. A test runs each in its own process.

``bare`` has the app and little else, ``undescribed`` not even drf-spectacular. ``tokens_first`` lists the app before Django's own apps.
``another_path`` has the app at another dotted path, ``another_label`` under another label: both run
``story`` with the settings of ``with_admin``. ``local_times`` has a database connection that is not
in UTC. ``other_users`` has another user model and two databases, ``other_names`` users who are named by a
UUID, a number or an e-mail address. ``replica`` reads from a replica. ``snapshot`` is Latchkey's own project
in snapshot mode. ``defaults`` are projects with other defaults for DRF and other places for the routes.
``registration`` is continued by docs/registration.md. ``branded`` has a name and a home page of its own.
``own_schema`` has an OpenAPI document with names like the app's. ``debug_toolbar`` has that installed.
``simplejwt_names`` was written for djangorestframework-simplejwt, dj-rest-auth and djoser.
"""
