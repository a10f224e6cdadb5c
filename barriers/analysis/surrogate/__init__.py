"""A model's energy surface, corrected by few points of an expensive engine, and how sure it is."""
