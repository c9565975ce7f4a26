"""A project that has an app labelled ``tokens`` already, and Latchkey's under another label."""
