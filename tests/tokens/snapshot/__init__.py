"""The snapshot mode: no query per request, and never behind by more than it says."""
