"""
The HTTP API: views, serializers, cookies, errors as answers, and the schema.

DRF imports the authentication class, and with it this package, while it loads its settings. So
nothing is imported here.
"""
