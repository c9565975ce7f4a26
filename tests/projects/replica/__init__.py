"""A site that reads from a replica that lags behind the primary."""
