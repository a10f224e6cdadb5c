"""Where a Flow runs."""
