"""Endpoint pairs and the first bands between them."""
