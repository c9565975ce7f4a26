"""A site whose reads go to a replica that is behind."""
