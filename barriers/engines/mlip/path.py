"""A path between two states: its bands converged, cut at minima, led down at its ends, filled, pushed off saddles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from barriers.analysis.band import highest_image, problems
from barriers.analysis.curves import Curves, curves_of
from barriers.analysis.dips import deepest, is_closed, slides
from barriers.analysis.paths import MERGED, farthest
from barriers.analysis.profile import Profile, read
from barriers.documents import CostDoc, IterationDoc, SaddleDoc
from barriers.engines.band import BandTask
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.mlip.band import BandRun
from barriers.engines.mlip.climbing import Climbed, climbed
from barriers.engines.mlip.feet import beside, is_foot, may_be_ordered, other_ends
from barriers.engines.mlip.foretold import Points
from barriers.engines.mlip.frames import APART, frames_of, jumped, lowest
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.relax import relax
from barriers.engines.mlip.saddle import off_saddle, saddle_of
from barriers.structures.digest import rounded
from barriers.structures.path.endpoints import overlap
from barriers.structures.path.known import carry
from barriers.structures.path.spacing import halved

MOST_MENDS = 4
"""A path is mended that often; then what is still wrong with it stands."""

ENDS = ("initial", "final")


@dataclass
class Piece:
    """A band from one minimum to the next, the energy from its highest image to the saddle (eV), and the saddle."""

    images: list[Atoms]
    left: float
    saddle: SaddleDoc | None = None

    @property
    def height(self) -> float:
        """Energy of its highest image (eV)."""
        return float(max(image.get_potential_energy() for image in self.images))


@dataclass
class PathRun:
    """One path on its way to convergence.

    Each of its bands has a checkpoint of its own, so a further run comes to where the last one ended.

    Attributes
    ----------
    task : BandTask
        The first band.
    evaluator : Evaluator
        The model.
    checkpoint : callable
        Gives the checkpoint of a kind of calculation and its inputs.
    refine : bool
        Whether the saddles are searched for from roughly converged bands.
    reason : str or None
        Why the path is not converged; None once it is.
    merged_into : str or None
        Name of the known path that it fell onto.
    warnings : list[str]
        What was mended.
    led_down : bool
        Whether its ends were compared with the minima that it leads down to.
    """

    task: BandTask
    evaluator: Evaluator
    checkpoint: Callable[..., Checkpoint]
    refine: bool = False
    reason: str | None = None
    merged_into: str | None = None
    warnings: list[str] = field(default_factory=list)
    history: list[IterationDoc] = field(default_factory=list)
    cost: CostDoc = field(default_factory=CostDoc)
    mends: int = 0
    led_down: bool = False
    points: Points = field(init=False)

    def __post_init__(self) -> None:
        self.points = Points(self.task.images[0])

    def converge(self) -> list[Piece]:
        """Converge all bands of the path, in order; two that follow each other share the minimum between them."""
        self.led_down = bool(self.task.known)
        if (ends := other_ends(self.task) if self.task.known else self._in_one_frame()) is not None:
            return self._part(self.task.images, ends[0], ends[1], (True, True))
        return self._converge(self.task.images, (True, True), self.checkpoint("neb", *self.task.inputs))

    def _in_one_frame(self) -> Sequence[Atoms] | None:
        """Relax each end anew in the surroundings of the other one, where they differ far from the hop.

        A crystal that distorts, or a soft fragment, may do so in another way in each end; a band between the two has
        that change in its barrier as well.
        """
        own = self.task.images[0], self.task.images[-1]
        if (frames := frames_of(*own)).apart < APART:
            return None
        pairs = []
        for end, back in zip(own, (False, True), strict=True):
            start = jumped(end, frames, back)
            if overlap(start) is None and (anew := self._relaxed(start)) is not None:
                pairs.append((anew, end) if back else (end, anew))
        self.reason = None
        said = f"far from the hop atoms are up to {frames.apart:.2f} Å apart between the ends"
        if (best := lowest(own, pairs, frames.apart)) is None:
            self.warnings.append(f"{said}: what changes there is in the barrier")
            return None
        changed = 1 if best[0] is own[0] else 0
        higher = best[changed].get_potential_energy() - own[changed].get_potential_energy()
        self.warnings.append(
            f"{said}: the {ENDS[changed]} state was relaxed anew in the surroundings of the other, {higher:+.3f} eV"
        )
        return best

    def _converge(
        self, images: list[Atoms], outer: tuple[bool, bool], checkpoint: Checkpoint, foretold: bool = True
    ) -> list[Piece]:
        """Converge a band, then what it is mended to; ``outer`` says which of its ends are those of the path.

        One that is no path once it is ``foretold`` is converged anew, step by step: an image may have been sent over a
        hill into a place that has nothing to do with the hop.
        """
        known = self.task.known if all(outer) else {}
        climbs = self.task.climbs and images is self.task.images
        first = [images[0], *(image.copy() for image in images[1:-1]), images[-1]]
        run = BandRun(images, self.evaluator, self.task.settings, checkpoint, known, climbs, self.points, foretold)
        settled = run.settle()
        found = Climbed(reason="both ends slide into one minimum between them: there is no saddle")
        if not (settled and all(outer) and (curves := _curves(run.images)) is not None and is_closed(read(curves))):
            found = climbed(run, settled, self.task, self.refine)
        self.reason, self.merged_into = found.reason, run.merged_into
        self.warnings += found.warnings
        self._book(run, checkpoint)
        piece = Piece(run.images, run.saddle_left)
        if (saddle := found.saddle) is not None:
            piece = Piece(saddle.images, saddle.left, saddle.document)
        if self.reason is not None or (saddle and saddle.is_proven):
            return [piece]
        if (curves := _curves(piece.images)) is None:
            return self._again(first, outer, foretold=False) if foretold else [piece]
        profile = read(curves)
        return (
            self._cut(piece.images, outer, profile)
            or self._led_down(piece.images, outer)
            or self._filled(piece.images, outer, curves.steep)
            or ([piece] if saddle else self._verified(run, outer, profile))
        )

    def _again(self, images: list[Atoms], outer: tuple[bool, bool], foretold: bool = True) -> list[Piece]:
        """Converge a band that another one was mended to."""
        inputs = [*self.task.inputs, rounded(np.array([image.positions for image in images]))]
        how = [] if foretold else ["in steps"]
        return self._converge(images, outer, self.checkpoint("neb", *inputs, *how), foretold)

    def _cut(self, images: list[Atoms], outer: tuple[bool, bool], profile: Profile) -> list[Piece] | None:
        """Cut a band at its deepest minimum, or let that take the place of an end that slides into it."""
        if self.mends == MOST_MENDS or (place := deepest(profile)) is None:
            return None
        at = 1 + int(np.abs(np.array(profile.distances[1:-1]) - place).argmin())
        minimum = self._relaxed(images[at])
        if minimum is None or any(_same_place(minimum, end) for end in (images[0], images[-1])):
            return None
        slid = slides(profile, place)
        if all(slid) or any(slips and not end for slips, end in zip(slid, outer, strict=True)):
            return None
        self.mends += 1
        self.points.add(minimum)
        for end, name, slips in zip((images[0], images[-1]), ENDS, slid, strict=True):
            if slips:
                below = end.get_potential_energy() - minimum.get_potential_energy()
                self.warnings.append(
                    f"the {name} state was no minimum: it slides into one {below:.3f} eV below, which takes its place"
                )
        if not any(slid):
            self.warnings.append(f"the path is cut at an intermediate minimum, {place:.2f} Å along it")
        pieces: list[Piece] = []
        if not slid[0]:
            pieces += self._part(images[: at + 1], images[0], minimum, (outer[0], slid[1]))
        if not slid[1]:
            pieces += self._part(images[at:], minimum, images[-1], (slid[0], outer[1]))
        return pieces

    def _led_down(self, images: list[Atoms], outer: tuple[bool, bool]) -> list[Piece] | None:
        """Let the minima that a path leads down to take the place of higher ends; looked for once."""
        if self.mends == MOST_MENDS or self.led_down or not all(outer) or not may_be_ordered(images[0]):
            return None
        self.led_down = True
        ends = [images[0], images[-1]]
        for end, image in beside(images):
            foot = self._relaxed(images[image])
            if foot is not None and is_foot(foot, ends[end]):
                below = ends[end].get_potential_energy() - foot.get_potential_energy()
                self.warnings.append(
                    f"the {ENDS[end]} state is not where the path leads down to, a minimum of the same site "
                    f"{below:.3f} eV below, which takes its place"
                )
                self.points.add(foot)
                ends[end] = foot
        self.reason = None
        if ends[0] is images[0] and ends[-1] is images[-1]:
            return None
        self.mends += 1
        return self._again([ends[0], *images[1:-1], ends[-1]], outer)

    def _part(self, guide: list[Atoms], first: Atoms, last: Atoms, outer: tuple[bool, bool]) -> list[Piece]:
        """Converge the part of a band that leads from one minimum to another."""
        positions = np.array([image.positions for image in guide])
        between = carry(first, last, positions, self.task.start.n_images)[1:-1]
        return self._again([first, *between, last], outer)

    def _relaxed(self, image: Atoms) -> Atoms | None:
        """Relax an image as the ends were; None where it does not converge, which is a reason then."""
        checkpoint = self.checkpoint("relax", *self.task.inputs, rounded(image.positions))
        fmax = self.task.initial.fmax
        found = relax(image, self.evaluator, fmax, self.task.settings.max_steps, checkpoint)
        self._spent(found.force_calls, found.earlier_force_calls, found.wall_time)
        if not found.converged:
            self.reason = f"minimum on the path not relaxed: {found.max_force:.3f} eV/Å after {found.steps} steps"
            return None
        found.atoms.calc = SinglePointCalculator(found.atoms, energy=found.energy, forces=found.forces)
        return found.atoms

    def _filled(self, images: list[Atoms], outer: tuple[bool, bool], steep: list[int]) -> list[Piece] | None:
        """Put an image into each step that is too steep."""
        if self.mends == MOST_MENDS or not steep:
            return None
        self.mends += 1
        self.warnings.append(f"{len(steep)} image{'s' * (len(steep) > 1)} put into steps that were too steep")
        return self._again(halved(images, steep), outer)

    def _verified(self, run: BandRun, outer: tuple[bool, bool], profile: Profile) -> list[Piece]:
        """See that the highest image is a saddle of first order, and push the band off one that is not."""
        if not profile.checks["saddle between the endpoints"]:
            return [Piece(run.images, run.saddle_left)]
        before = self.evaluator.force_calls
        top = highest_image([image.get_potential_energy() for image in run.images])
        saddle, mode = saddle_of(run.images, self.evaluator, run.force_calls, top)
        pushed = None
        if saddle.order > 1:
            pushed = off_saddle(run.images, self.evaluator, saddle, mode)
        self._spent(self.evaluator.force_calls - before)
        if pushed is None:
            return [Piece(run.images, run.saddle_left, saddle)]
        if self.mends == MOST_MENDS:
            self.reason = f"{saddle.fault}, though the path was mended {self.mends} times"
            return [Piece(run.images, run.saddle_left, saddle)]
        self.mends += 1
        self.warnings.append(f"{saddle.fault}; the band was pushed off it")
        return self._again(pushed, outer)

    def _book(self, run: BandRun, checkpoint: Checkpoint) -> None:
        """Add what a band took to that of the path."""
        iterations, calls = len(self.history), self.cost.force_calls
        self.history += [
            each.model_copy(update={"iteration": each.iteration + iterations, "force_calls": each.force_calls + calls})
            for each in run.history
        ]
        self._spent(run.force_calls, run.earlier_force_calls, checkpoint.wall_time)

    def _spent(self, calls: int, earlier: int = 0, seconds: float = 0.0) -> None:
        self.cost.force_calls += calls
        self.cost.earlier_force_calls += earlier
        self.cost.wall_time += seconds


def highest(pieces: Sequence[Piece]) -> Piece:
    """The piece of a path that holds its highest image."""
    return max(pieces, key=lambda piece: piece.height)


def _same_place(atoms: Atoms, other: Atoms) -> bool:
    return farthest([atoms.positions], [other.positions], atoms.cell.array) < MERGED


def _curves(images: list[Atoms]) -> Curves | None:
    """Put the curves through a band; None where it is none, which is told when its barrier is read."""
    numbers = (
        [image.positions for image in images],
        images[0].cell.array,
        [image.get_potential_energy() for image in images],
        # Without what holds frozen atoms, as constraints leave them.
        [image.get_forces() for image in images],
    )
    return None if problems(*numbers, images[0].pbc) else curves_of(*numbers, pbc=images[0].pbc)
