"""A calculator of a user's own, slow enough to be killed in the middle of a band."""

import os
import time
from typing import Any

from ase.calculators.emt import EMT

HURRY = "SLOW_EMT_HURRIES"
"""Variable of the environment: what is not to be stopped need not be slow."""


class SlowEMT(EMT):
    """EMT whose numbers do not depend on what it calculated before, in whichever process."""

    def calculate(self, atoms: Any, *args: Any, **kwargs: Any) -> None:
        time.sleep(0 if os.environ.get(HURRY) else 0.05)
        # The neighbour list is kept while no atom has moved far, and pairs just beyond the cutoff are worth 1e-6 eV.
        self.initialize(atoms)
        super().calculate(atoms, *args, **kwargs)
