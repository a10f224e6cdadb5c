"""How long interfaces take, and how much memory: 10 to 1,000 of them, in either mode, on one core.

``python tests/benchmarks/interfaces.py [--most 1000]`` places PVDF at a distance and PVDF−HF bonded on a (104) slab of
NCM811, over conformers, surface sites and turns. Structures are counted and let go. Times are the processor's, so that
a busy machine does not count. Memory is the process's peak so far: rows go from few to many, so that a peak that grows
with the number would show.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from itertools import count, islice

from pymatgen.core import Structure

from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.cathode.ordering import order_metals
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.interface.sites import points_over, surface_sites
from barriers.structures.polymer.fragment import build_fragment
from barriers.structures.surface.slab import cut_slab

VACUUM = 12.0
NUMBERS = (10, 30, 100, 300, 1000)


def slab() -> Structure:
    """Cut the slab of 96 atoms that all interfaces share."""
    cathode = known_cathodes()["NCM811"]
    return order_metals(cut_slab(bulk(cathode), (1, 0, 4), 4, (8, 11), VACUUM, 2).slab, cathode.metals, 0)


def held(bare: Structure) -> Iterator[Structure]:
    """Give placements at contact height, flat and upright, over all surface sites, for one conformer after another."""
    sites = surface_sites(bare)
    for seed in count():
        fragment = build_fragment("PVDF", 2, None, seed)
        for site in sites:
            yield from place_at_distance(bare, fragment, site, None, VACUUM, 4, ("flat", "head down"))


def bonded(bare: Structure) -> Iterator[Structure]:
    """Give placements bonded to each surface oxygen, for one conformer after another."""
    oxygens = points_over(bare, ["O"])
    for seed in count():
        fragment = build_fragment("PVDF", 2, "HF", seed)
        for oxygen in oxygens:
            yield from place_bonded(bare, fragment, oxygen, 1.45, VACUUM, 4)


def measure(build: Callable[[Structure], Iterator[Structure]], number: int) -> tuple[float, float]:
    """Processor time per interface (ms, slab not counted) and peak memory (MB)."""
    bare = slab()
    start = time.process_time()
    found = sum(1 for _ in islice(build(bare), number))
    taken = 1000 * (time.process_time() - start) / found
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=NUMBERS[-1], help="largest number of interfaces")
    most = parser.parse_args().most
    print(f"{'mode':<16}{'interfaces':>10}{'CPU ms':>10}{'CPU s':>10}{'peak MB':>10}")
    for mode, build in (("at a distance", held), ("bonded", bonded)):
        for number in (number for number in NUMBERS if number <= most):
            each, peak = measure(build, number)
            print(f"{mode:<16}{number:>10}{each:>10.1f}{each * number / 1000:>10.1f}{peak:>10.0f}", flush=True)


if __name__ == "__main__":
    main()
