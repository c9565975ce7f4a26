"""
The commands of ``manage.py``, one module each.

A command reads its arguments, calls a function of ``operations`` or ``keyring``, and prints the
result. Rules do not belong here.
"""

__all__: list[str] = []
