"""NEB folders of Quantum ESPRESSO: ``PREFIX.path`` for the band, what lies beside it for atoms and convergence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

from barriers.documents import EngineDoc
from barriers.engines.espresso.outputs import PathFile, path_state, read_moments
from barriers.parsing.espresso_atoms import Told
from barriers.parsing.espresso_inputs import told
from barriers.parsing.espresso_runs import CONVERGED, SAME_ENERGY, Run, judge, runs_of
from barriers.parsing.espresso_xml import check_outdir, image_file, xmls
from barriers.parsing.files import beginning, plain_name, read_text, there
from barriers.parsing.found import FoundBand, Image, Reader, the_one


def read_espresso_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Read the band of a ``neb.x`` folder.

    Returns
    -------
    FoundBand or None
        None where there is no path file.

    Raises
    ------
    SeveralBandsError
        If there are several, and none is named.
    ValueError
        If the path file is not whole, or nothing tells what the atoms are.
    """
    paths = _paths(place)
    folder = place if place.is_dir() else place.parent
    if not paths:
        if place.is_dir() and runs_of(folder):
            raise ValueError(f"{folder}: neb.x left no .path file within its first iteration; copy it if there is one")
        return None
    if (one := the_one(folder, paths, band)) is None:
        return None
    prefix, path = one
    try:
        state = path_state(read_text(path))
    except (ValueError, IndexError):
        raise ValueError(f"{path}: is not whole") from None
    outdir = [xmls(folder, prefix, number) for number in range(1, len(state.energies) + 1)]
    sources = [*outdir[0], *told(folder, prefix)]
    structure, tellers = _structure(path, state, sources)
    runs = [run for run in runs_of(folder) if run.ends_with(state)]
    found = FoundBand(
        folder,
        EngineDoc(kind="espresso", name="Quantum ESPRESSO", version=_version(runs, sources)),
        structure,
        _images(path, state, tellers, outdir, _kept(runs, sources)),
        [str(path)] * len(state.energies),
        name=prefix,
    )
    judge(found, runs, state, path)
    found.checks.append(check_outdir(found, outdir))
    return found


def _paths(place: Path) -> dict[str, Path]:
    """Path file of each band, by its prefix; a named file alone, also one of the copies ``PREFIX.path<N>``."""
    if place.is_file():
        match = re.fullmatch(r"(.+)\.path\d*", plain_name(place))
        return {match[1]: place} if match else {}
    names = {plain_name(path) for path in place.glob("*.path*") if path.is_file()}
    found = {name.removesuffix(".path"): there(place / name) for name in names if name.endswith(".path")}
    return {name: path for name, path in found.items() if path is not None and _may_be_ours(path)}


def _may_be_ours(path: Path) -> bool:
    """Whether a ``.path`` begins as neb.x's do, or cannot be read: other programs have files of this name."""
    start = beginning(path)
    return not start or start.startswith("RESTART INFORMATION")


def _structure(path: Path, state: PathFile, sources: list[Told]) -> tuple[Structure, list[Told]]:
    """Initial endpoint with frozen atoms, and what told the atoms and the cell."""
    prefix = path.name.partition(".path")[0]
    with_cell = [source for source in sources if source.cell is not None]
    if not with_cell:
        raise ValueError(
            f"{path}: nothing beside it tells the cell; copy {prefix}.axsf, the input with prefix {prefix!r} and "
            f"CELL_PARAMETERS, or {prefix}_1/{prefix}.save/data-file-schema.xml here"
        )
    best = max(sources, key=lambda source: bool(source.kinds))
    species, cell = best.species(), np.asarray(with_cell[0].cell)
    for source in sources:
        where = source.path
        if len(source.labels) != state.positions.shape[1]:
            raise ValueError(f"{where}: {len(source.labels)} atoms, but {state.positions.shape[1]} in {path.name}")
        if difference := source.difference(species):
            raise ValueError(f"{where} is of another band than {best.path}: {difference}; take one of them away")
        if source.cell is not None and not np.allclose(source.cell, cell, atol=1e-5):
            raise ValueError(f"{where} has another cell than {with_cell[0].path}; take one of them away")
    structure = Structure(
        Lattice(cell),
        species,
        state.positions[0],
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": state.free.tolist()},
    )
    return structure, [best, with_cell[0]]


def _images(
    path: Path, state: PathFile, tellers: list[Told], outdir: list[list[Told]], kept: bool | None
) -> list[Image]:
    """Images as the path file has them; electrons converged where the code stops unless they do (``kept``)."""
    prefix, folder = path.name.partition(".path")[0], path.parent
    files = list(dict.fromkeys(str(one) for one in (path, *(teller.path for teller in tellers))))
    inputs = {} if any("data-file-schema" in teller.path.name for teller in tellers) else tellers[0].settings
    images = []
    for number, (positions, energy, forces) in enumerate(
        zip(state.positions, state.energies, state.forces, strict=True), 1
    ):
        image = Image(positions, float(energy), forces, files=list(files), settings=inputs, steps=state.iteration)
        image.free, image.electrons = state.free, kept
        for xml in outdir[number - 1]:
            if abs(xml.energy - float(energy)) < SAME_ENERGY:
                image.settings, image.electrons, image.cell = xml.settings, xml.electrons, xml.cell
                break
        for output in image_file(folder, prefix, number, "PW.out")[:1]:
            image.moments = next(reversed(read_moments(output)), None)
        images.append(image)
    return images


def _kept(runs: list[Run], sources: list[Told]) -> bool | None:
    """Whether the band could not have converged with electrons that had not; None where nothing says so."""
    asked = {source.must_converge for source in sources} - {None}
    return True if asked == {True} and any(run.criterion for run in runs) else None


def _version(runs: list[Run], sources: list[Told]) -> str:
    told_by = [source.settings["version"] for source in sources if "version" in source.settings]
    return next(iter([*(run.version for run in runs), *told_by]), "unknown")


READER = Reader(
    "Quantum ESPRESSO",
    read_espresso_band,
    files="PREFIX.path",
    energies="PREFIX.path",
    forces="PREFIX.path",
    cell="PREFIX.axsf, an image's data-file-schema.xml, the input",
    frozen="if_pos in PREFIX.path",
    convergence=f"'{CONVERGED}' in the output that ends with the energies of PREFIX.path",
    versions="6.4.1, 6.7, 7.2",
)
