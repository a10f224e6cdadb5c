"""Figures, tables and files made from barrier documents."""
