"""Fragments: chains of repeat units, eliminations, conformers; molecules of the reactions."""
