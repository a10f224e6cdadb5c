"""``python -m barriers``."""

from barriers.cli import main

main()
