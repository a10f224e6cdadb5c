"""Terminations and hops of several facets in Python: what there is to choose from, and a picture of each slab.

Run it with ``python flows/facets.py``. It computes no energy and writes to ``results/facets``.
"""

from pathlib import Path

from barriers import (
    Drawn,
    bulk,
    cathode_of,
    contact_sheet,
    cut_slab,
    find_hops,
    hop_ends,
    order_metals,
    save_figure,
    terminations,
    with_species,
)

cathode = cathode_of("NCM811")
crystal = bulk(cathode)
drawn = {}
for facet in [(1, 0, 4), (0, 0, 3), (0, 1, 2), (1, 1, 0), (1, 0, 1)]:
    for termination in terminations(crystal, facet):
        kind = "polar" if termination.polar else "non-polar"
        bonds = f"{termination.broken_bonds:.3f} broken bonds/Å²"
        print(facet, termination.label, kind, bonds, termination.coordination)
    cut = cut_slab(crystal, facet, layers=5, min_lengths=(8, 11), vacuum=12, frozen_layers=2)
    slab = with_species(cut.slab, order_metals(cut.crystal, cathode.metals, seed=0))
    hops = [hop for hop in find_hops(slab) if hop.kind == "vacancy"]
    shortest = f"the shortest {hops[0].distance:.2f} Å: {hops[0].label}"
    print(*cut.warnings, f"{len(hops)} distinct vacancy hops, {shortest}", "", sep="\n")
    drawn["".join(map(str, facet))] = Drawn(slab, {"shortest": hop_ends(slab, hops[0])})
folder = Path("results/facets")
folder.mkdir(parents=True, exist_ok=True)
print(*save_figure(contact_sheet(drawn)[0], folder / "facets"), sep="\n")
