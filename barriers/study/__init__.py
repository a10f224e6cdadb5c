"""The study file as pydantic models: the only door for user input."""
