"""Who may try how often: the counts, and the limits on signing in."""
