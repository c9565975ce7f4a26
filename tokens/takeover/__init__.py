"""
Take over a live site of djangorestframework-simplejwt: its tokens keep working until they expire.

    their_settings   SIMPLE_JWT, as the other package reads it
    reading          a token of theirs as text: its signature and claims
    outstanding      let such a token stand for a session of ours
    importing        the sessions of the tokens that were not shown yet
    status           what an operator wants to know about the switch
    models           the switch, the tokens that have a session, and the other package's tables
    checks           what cannot be taken over, for ``manage.py check``

A refresh token of theirs is the first refresh token of a session, whose ``sid`` is derived from its
``jti``. So all the rules of ``sessions`` hold for it: of calls in parallel one wins, a revocation
or a new password ends the session, and ``TOKENS_ROTATION`` says how often the token can be used. An
access token of theirs is that of a session with one access token.

This package is an app of its own. While the switch lasts, it is in INSTALLED_APPS; then it can be
removed, with its tables, or deleted. No other package imports it; its AppConfig registers it. May
import everything in ``tokens`` except ``apps``, ``urls`` and ``routers``.
"""
