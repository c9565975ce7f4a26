"""
What the app needs of databases: engines, aliases, schemas, transactions and compiled SQL.

No model, no setting and no rule about tokens belongs here. May import Django only.
"""

from . import compiled_sql, engines, lasting, places

__all__ = ["compiled_sql", "engines", "lasting", "places"]
