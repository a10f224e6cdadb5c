"""The files of VASP as its readers expect them; what a real run has is checked in ``test_vasp_standin.py``."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
from ase import Atoms
from ase.io import write

LINE = "-" * 104


def read_incar(path: Path) -> dict[str, str]:
    """Read ``KEY = value`` lines."""
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {key.strip().upper(): value.strip() for key, _, value in pairs}


def expand(text: str) -> np.ndarray:
    """Expand ``2*1.0 0.5`` to three numbers."""
    parts = [word.rpartition("*") for word in text.split()]
    return np.array([float(value) for times, _, value in parts for _ in range(int(times or 1))])


class Place:
    """One folder in which VASP writes."""

    def __init__(self, folder: Path, incar: dict[str, str], atoms: Atoms, vtst: bool) -> None:
        self.folder, self.incar, self.vtst = folder, incar, vtst
        self.moments = expand(incar["MAGMOM"]) if "MAGMOM" in incar else np.zeros(len(atoms))
        self.history: list[tuple[np.ndarray, float, np.ndarray]] = []

    def _add(self, name: str, text: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(text)

    def begin(self) -> None:
        """Head of OUTCAR."""
        titles = [line for line in Path("POTCAR").read_text().splitlines() if "TITEL" in line]
        head = [" vasp.6.4.2 stand-in (build) complex", " executed on  LinuxGNU", "", " INCAR:", *titles]
        head += [f"   NELM   = {self.incar.get('NELM', 60):>6};   NELMIN=  2; NELMDL=  0     # of ELM steps"]
        head += [f"   number of dos      NEDOS =    301   number of ions     NIONS = {len(self.moments):6d}"]
        head += [f"   NKPTS = {1:6d}   k-points in BZ     NKDIM = {1:6d}   number of bands    NBANDS= {8:6d}"]
        head += [f"   total plane-waves  NPLWV = {43200:6d}", f"   IBRION = {self.incar.get('IBRION', -1):>6}"]
        if self.vtst:
            head += [" VTST: version 4.1, (03/07/22)", " CHAIN: initializing optimizer"]
        (self.folder / "OUTCAR").write_text("\n".join(head) + "\n")
        (self.folder / "OSZICAR").write_text("")
        if not (self.folder / "WAVECAR").exists():
            (self.folder / "WAVECAR").write_text("wavefunctions")

    def write_step(
        self, step: int, atoms: Atoms, energy: float, forces: np.ndarray, cycles: int, moments: np.ndarray
    ) -> None:
        """One ionic step."""
        lines, rows = (
            [],
            ["       N       E                     dE             d eps       ncg     rms          rms(c)"],
        )
        nelm = int(self.incar.get("NELM", 60))
        learned = self._learned(step)
        for cycle in range(1, cycles + 1):
            lines.append(f"{'-' * 39} Iteration {step:6d}({cycle:4d})  {'-' * 39}")
            rows.append(f"DAV: {cycle:3d}    {energy:.12E}   -0.11748E-06   -0.10408E-08    24   0.526E-04")
        if cycles < nelm:
            lines.append(f"{'-' * 24} aborting loop because EDIFF is reached {'-' * 40}")
        if self.incar.get("ISPIN") == "2":
            lines += ["", " magnetization (x)", " ", "# of ion       s       p       d       tot", "-" * 42]
            lines += [f"{i:5d}        0.000   0.000{m:8.3f}{m:8.3f}" for i, m in enumerate(moments, 1)]
            lines += ["-" * 50, f"tot          0.000   0.000{moments.sum():8.3f}{moments.sum():8.3f}", ""]
        head = " POSITION                                       TOTAL-FORCE (eV/Angst)"
        lines += ["", head + " (ML)" * learned, f" {'-' * 83}"]
        for position, force in zip(atoms.positions, forces, strict=True):
            lines.append(" " + "".join(f"{x:13.5f}" for x in position) + " " + "".join(f"{x:14.6f}" for x in force))
        lines += [
            f" {'-' * 83}",
            "    total drift:                                0.000000      0.000000      0.000000",
        ]
        lines += ["", "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)", "  " + "-" * 51]
        lines += [f"  free  energy {'ML' if learned else ' '} TOTEN  = {energy:18.8f} eV", ""]
        lines += [f"  energy  without entropy={energy:18.8f}  energy(sigma->0) ={energy:18.8f}", ""]
        lines += ["     LOOP+:  cpu time    0.0100: real time    0.0100", LINE]
        rows.append(f"  {step:2d} F= {energy:.8E} E0= {energy:.8E}  d E =0.100000E-03  mag= {moments.sum():9.4f}")
        self._add("OUTCAR", "\n".join(lines) + "\n")
        self._add("OSZICAR", "\n".join(rows) + "\n")
        self.history.append((atoms.get_scaled_positions(wrap=False), energy, forces))
        if step == 1:
            self.write_contcar(atoms)

    def _learned(self, step: int) -> bool:
        training = self.incar.get("ML_MODE", "").lower() == "train"
        return "T" in self.incar.get("ML_LMLFF", "F").upper() and not (training and step % 2)

    def write_contcar(self, atoms: Atoms) -> None:
        """Where the ions go next, wrapped into the cell as VASP does."""
        wrapped = atoms.copy()
        wrapped.set_scaled_positions(atoms.get_scaled_positions(wrap=True))
        write(self.folder / "CONTCAR", wrapped, format="vasp", direct=True)

    def truncate(self) -> None:
        """Cut OUTCAR in the middle of its last table of forces, and CONTCAR in its middle."""
        for name, at in (("OUTCAR", "TOTAL-FORCE"), ("CONTCAR", "Direct")):
            text = (self.folder / name).read_text()
            (self.folder / name).write_text(text[: text.rindex(at) + 150])

    def end(self, atoms: Atoms, converged: bool) -> None:
        """Last words."""
        words = " reached required accuracy - stopping structural energy minimisation\n" if converged else ""
        self.write_contcar(atoms)
        self._add("OUTCAR", words + " General timing and accounting informations for this job:\n")
        print(words, flush=True)
        self._write_vasprun(atoms)

    def _write_vasprun(self, atoms: Atoms) -> None:
        root = Xml.Element("modeling")
        generator = Xml.SubElement(root, "generator")
        Xml.SubElement(generator, "i", name="program", type="string").text = "vasp"
        Xml.SubElement(generator, "i", name="version", type="string").text = "6.4.2"
        incar = Xml.SubElement(root, "incar")
        for key, value in self.incar.items():
            if key in {"NSW", "IBRION", "NELM", "EDIFF", "EDIFFG"}:
                Xml.SubElement(
                    incar, "i", name=key, type="int" if key in {"NSW", "IBRION", "NELM"} else ""
                ).text = value
        parameters = Xml.SubElement(root, "parameters")
        for key, usual, kind in (("NSW", "0", "int"), ("NELM", "60", "int"), ("IBRION", "-1", "int")):
            Xml.SubElement(parameters, "i", name=key, type=kind).text = self.incar.get(key, usual)
        info = Xml.SubElement(root, "atominfo")
        rows = Xml.SubElement(Xml.SubElement(info, "array", name="atoms"), "set")
        for symbol in atoms.symbols:
            row = Xml.SubElement(rows, "rc")
            Xml.SubElement(row, "c").text, Xml.SubElement(row, "c").text = symbol, "1"
        types = Xml.SubElement(Xml.SubElement(info, "array", name="atomtypes"), "set")
        for symbol in dict.fromkeys(atoms.symbols):
            row = Xml.SubElement(types, "rc")
            for text in ("1", symbol, "1.0", "1.0", f"PAW_PBE {symbol}"):
                Xml.SubElement(row, "c").text = text
        self._structure(root, atoms, self.history[0][0], name="initialpos")
        for positions, energy, forces in self.history:
            calculation = Xml.SubElement(root, "calculation")
            for parent in (Xml.SubElement(calculation, "scstep"), calculation):
                energies = Xml.SubElement(parent, "energy")
                for key in ("e_fr_energy", "e_wo_entrp", "e_0_energy"):
                    Xml.SubElement(energies, "i", name=key).text = f"{energy:.8f}"
            self._structure(calculation, atoms, positions)
            self._rows(calculation, "forces", forces)
        self._structure(root, atoms, atoms.get_scaled_positions(wrap=False), name="finalpos")
        Xml.ElementTree(root).write(self.folder / "vasprun.xml")

    def _structure(self, parent: Xml.Element, atoms: Atoms, positions: np.ndarray, **attributes: str) -> None:
        structure = Xml.SubElement(parent, "structure", attributes)
        self._rows(Xml.SubElement(structure, "crystal"), "basis", atoms.cell.array)
        self._rows(structure, "positions", positions)

    def _rows(self, parent: Xml.Element, name: str, rows: np.ndarray) -> None:
        table = Xml.SubElement(parent, "varray", name=name)
        for row in rows:
            Xml.SubElement(table, "v").text = " ".join(f"{x:.10f}" for x in row)
