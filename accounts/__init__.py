"""
The user model, its admin, its authentication backend and what ``/api/me/`` says of a user.

Imports neither ``tokens`` nor ``config``. Other packages use it through settings that name its
classes, such as AUTH_USER_MODEL, so it exports no name.
"""

__all__: list[str] = []
