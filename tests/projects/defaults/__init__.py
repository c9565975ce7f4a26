"""
Projects that differ in their defaults for DRF and in where they include the app.

Every one of them must answer the requests of ``doors`` in the same way.
"""
