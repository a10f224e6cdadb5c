"""A calculator of a user's own, slow enough to be killed in the middle of a band."""

import time
from typing import Any

from ase.calculators.emt import EMT


class SlowEMT(EMT):
    def calculate(self, *args: Any, **kwargs: Any) -> None:
        time.sleep(0.05)
        super().calculate(*args, **kwargs)
