"""
A project whose tenants have a schema of PostgreSQL each, by django-tenants.

LAYOUT says where this app and its users are: "tenant", "shared" or "both". DATABASE names the database.
"""
