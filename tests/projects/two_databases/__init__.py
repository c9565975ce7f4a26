"""A project whose router sends the requests of each tenant to a database of its own."""
