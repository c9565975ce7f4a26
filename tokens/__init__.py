"""JWT authentication for Django and Django REST framework with tokens that can be revoked."""

__version__ = "1.0.0rc1"
