"""A project whose database connection does not use UTC: without USE_TZ, or with a TIME_ZONE."""
