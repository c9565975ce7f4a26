"""``token_backend``, for code that encodes and decodes tokens without their classes."""

from .backends import TokenBackend

token_backend = TokenBackend()
