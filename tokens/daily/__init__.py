"""
How much happens each day, for the charts on the admin's first page.

    counting    counts events, and writes the counts in a thread

This package can be deleted; the charts then stay empty. No other package imports it; ``set_up``
registers it. May import models and what is below them.
"""

from .counting import flush, forget, set_up

__all__ = ["flush", "forget", "set_up"]
