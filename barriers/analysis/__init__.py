"""Arrays in, numbers out: profiles and their barriers, distinct paths, comparisons, never a file."""
