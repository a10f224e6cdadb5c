"""Dispatch to a queue through FireWorks: submit, launch, see, recover, collect."""
