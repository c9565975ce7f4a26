"""
Recognise secrets that are easy to guess, as Django's check security.W009 does for SECRET_KEY.

May import nothing: settings are read with it before Django is set up.
"""

MINIMUM_LENGTH = 32
MINIMUM_DIFFERENT = 5
# startproject writes such a key into settings.py, from where it gets under version control.
GENERATED_BY_DJANGO = "django-insecure-"


def weakness_of(secret: str) -> str:
    """Return why the secret is easy to guess, as ``has 5 characters``, or an empty string."""
    if len(secret) < MINIMUM_LENGTH:
        return f"has {len(secret)} character{'' if len(secret) == 1 else 's'}"
    if len(set(secret)) < MINIMUM_DIFFERENT:
        return f"has fewer than {MINIMUM_DIFFERENT} different characters"
    if secret.startswith(GENERATED_BY_DJANGO):
        return f'begins with "{GENERATED_BY_DJANGO}"'
    return ""
