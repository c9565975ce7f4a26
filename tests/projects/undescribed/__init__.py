"""The project ``bare`` where no package that is optional for the app is installed."""
