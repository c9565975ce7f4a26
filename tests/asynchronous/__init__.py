"""Tests of async code: the verbs, the authentication of requests, and the middleware."""
