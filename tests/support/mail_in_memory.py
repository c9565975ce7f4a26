"""Settings that keep mail in memory, by the name that this version of Django has for them."""

from typing import Any

import django

_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if django.VERSION < (6, 1):
    EMAIL_BACKEND = _BACKEND
else:
    MAILERS: dict[str, dict[str, Any]] = {"default": {"BACKEND": _BACKEND}}
