"""
The user model, its admin, its authentication backend and ``/api/me/``.

Imports neither ``tokens`` nor ``config``. Other packages use it as AUTH_USER_MODEL and through
``accounts.urls``, so it exports no name.
"""

__all__: list[str] = []
