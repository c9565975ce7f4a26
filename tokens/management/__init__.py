"""
The management commands: ``base`` has what they share, ``commands`` has one module per command.

Imports ``operations`` and the packages below it; no other package imports this one. Django finds
the commands by their module names.
"""

__all__: list[str] = []
