"""A calculator so slow that a person, or a page, can follow its band."""

import time
from typing import Any

from slow_emt import SlowEMT


class VerySlowEMT(SlowEMT):
    """As slow as a small model on a laptop."""

    def calculate(self, atoms: Any, *args: Any, **kwargs: Any) -> None:
        time.sleep(0.25)
        super().calculate(atoms, *args, **kwargs)
