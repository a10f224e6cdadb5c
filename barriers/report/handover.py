"""What a study hands over to others: files for other programs, for a manuscript, and for a data repository."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from barriers.disk import writes_folder
from barriers.documents import BarrierDoc, StudyDoc
from barriers.files.structures import stem
from barriers.report.beside import write_beside
from barriers.report.comparison import write_comparison
from barriers.report.exports import band_extxyz, cif, poscar, profile_csv, states
from barriers.report.figures.profiles import draw_profiles
from barriers.report.folder import DOCUMENT, write_profiles
from barriers.report.methods import write_methods
from barriers.report.paper import table_markdown, table_siunitx
from barriers.report.style import add_title, save_figure
from barriers.report.tables import write_csv
from barriers.study.kept import SOURCES, STUDY_FILE

SUMS = "SHA256SUMS"
"""Checksums of all other files, as ``sha256sum --check`` reads them."""

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""Date of each file in the archive: the same results give the same archive."""

ABOUT = """# {name}

Migration barriers, written by `barriers export`. Energies are in eV, lengths in Å, forces in eV/Å.

| file | content |
| --- | --- |
| `study.json` | everything: barriers, bands, checks, warnings, settings, versions, checksums |
| `study.yaml` | the study file that was run, where there is one |
| `sources/` | the structure files that it names, each in a folder named by a code of its path |
| `barriers.csv` | a row for each barrier, all digits |
| `comparison.csv`, `.json`, `.tex` | the comparison, with the digits that its uncertainties leave |
| `table.md`, `table.tex` | the same as Markdown, and for LaTeX with siunitx |
| `profiles/` | of each barrier, the images and the curve through them: energy over path length |
| `structures/` | of each barrier, initial state, highest image and final state as POSCAR and CIF |
| `bands/` | all images of each barrier with energies and forces, as extended XYZ |
| `figures/` | each hop in all systems; all hops of each system |
| `methods.md`, `references.bib` | a paragraph for the methods section, and what it cites |
| `SHA256SUMS` | checksums of all these: `sha256sum --check SHA256SUMS` |
"""


@writes_folder
def write_export(study: StudyDoc, results: Path, folder: Path) -> list[Path]:
    """Write what others need of a study, and all of it again as one archive with checksums.

    Parameters
    ----------
    study : StudyDoc
        The outcome.
    results : Path
        Its results folder: the study file and the document are taken from there as they are.
    folder : Path
        Made if it is not there.

    Returns
    -------
    list[Path]
        What was written, the archive ``NAME.zip`` last. A barrier without a converged band has no profile, a band of
        others whose files tell no atoms no structures; tables and ``study.json`` say why.
    """
    for name in ("profiles", "structures", "bands", "figures"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    texts = {
        "README.md": ABOUT.format(name=study.name),
        "table.md": table_markdown(study),
        "table.tex": table_siunitx(study),
    }
    for barrier in study.barriers:
        texts |= _of_barrier(barrier)
    written = [_write(folder / name, text.encode()) for name, text in texts.items()]
    kept = [results / DOCUMENT, results / STUDY_FILE, *sorted((results / SOURCES).glob("*/*"))]
    written += [_write(folder / path.relative_to(results), path.read_bytes()) for path in kept if path.is_file()]
    written.append(folder / "barriers.csv")
    write_csv(study, written[-1])
    written += [*write_comparison(study, folder), *write_beside(study, folder), *write_methods(study, folder)]
    written += [*write_profiles(study, folder / "figures"), *write_hops(study, folder / "figures")]
    sums = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(written)}
    lines = [f"{digest}  {path.relative_to(folder).as_posix()}\n" for path, digest in sums.items()]
    written.append(_write(folder / SUMS, "".join(lines).encode()))
    return [*written, _pack(study.name, written, folder)]


def write_hops(study: StudyDoc, folder: Path) -> list[Path]:
    """Draw all hops of each system that has several over each other; bands that are not converged are named alone."""
    hops = Counter(barrier.system for barrier in study.barriers if barrier.profile)
    paths = []
    for system in (system for system, several in hops.items() if several > 1):
        by_hop = [one.model_copy(update={"system": one.hop_name}) for one in study.barriers if one.system == system]
        axes = draw_profiles(by_hop)
        add_title(axes, system)
        paths += save_figure(axes, folder / f"hops-{stem(system)}")
    return paths


def _of_barrier(barrier: BarrierDoc) -> dict[str, str]:
    """Texts of a barrier's files by their names."""
    name = stem(barrier.system, barrier.hop_name)
    texts = {f"profiles/{name}.csv": profile_csv(barrier)} if barrier.profile else {}
    found = states(barrier)
    for state, structure in found.items():
        texts[f"structures/{name}-{state}.vasp"] = poscar(structure, f"{barrier.system} {barrier.hop_name} {state}")
        texts[f"structures/{name}-{state}.cif"] = cif(structure)
    return texts | ({f"bands/{name}.extxyz": band_extxyz(barrier)} if found else {})


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _pack(name: str, written: list[Path], folder: Path) -> Path:
    """Put files into an archive, in one folder of the study's name."""
    archive = folder / f"{name}.zip"
    with ZipFile(archive, "w", ZIP_DEFLATED) as pack:
        for path in sorted(written):
            entry = ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}", LONG_AGO)
            entry.external_attr, entry.compress_type = 0o644 << 16, ZIP_DEFLATED
            pack.writestr(entry, path.read_bytes())
    return archive
