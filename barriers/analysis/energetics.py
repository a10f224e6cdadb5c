"""What is known beside the barriers of a study: adsorption, how Li⁺ is held, reactions, attempt frequencies."""

from __future__ import annotations

from pydantic import BaseModel, Field


class AdsorptionRow(BaseModel):
    """How a fragment sits on the slab, and how strongly."""

    system: str
    energy: float | None = Field(None, description="adsorption energy of one fragment (eV), negative where it binds")
    reason: str | None = Field(None, description="why there is none")
    conformers: float | None = Field(None, description="fragment alone: highest minus lowest start, relaxed (eV)")
    lowest: float | None = Field(None, description="lowest fragment atom above the topmost slab atom (Å)")
    bonds: list[str] = Field(default_factory=list, description="bonds between fragment and surface")
    moments: list[str] = Field(default_factory=list, description="slab atoms whose moments differ from the bare slab's")


class PlacementRow(BaseModel):
    """One placement of a fragment on the slab, relaxed roughly."""

    energy: float = Field(description="total energy (eV)")
    converged: bool
    lowest: float = Field(description="lowest fragment atom above the topmost slab atom (Å)")
    bonds: list[str] = Field(description="bonds between fragment and surface")
    like: int | None = Field(None, description="number of the placement before it that it relaxed into, from 1")


class PlacementsDoc(BaseModel):
    """The placements of a system's fragment, and which of them was kept."""

    system: str
    kept: int | None = Field(None, description="number of the one that was relaxed fully, from 1")
    rows: list[PlacementRow] = Field(default_factory=list)


class LithiumRow(BaseModel):
    """How strongly a slab with a fragment holds the ions that an end state takes out or adds, against the bare slab."""

    system: str
    hop: str = Field(description="a hop that begins or ends in the state")
    state: str = Field(description="what is taken out, or added")
    energy: float | None = Field(None, description="binding beside the fragment minus on the bare slab (eV)")
    reason: str | None = Field(None, description="why there is none")


class ReactionRow(BaseModel):
    """The energy of one reaction."""

    name: str
    equation: str
    energy: float | None = Field(None, description="products minus reactants (eV)")
    spread: float | None = Field(None, description="highest minus lowest over all choices of starts (eV)")
    reason: str | None = Field(None, description="why there is none")


class SpeciesRow(BaseModel):
    """A species that was relaxed from several starts."""

    name: str
    starts: int = Field(description="how many it was relaxed from")
    kept: int = Field(description="how many of them were relaxed and are still the same species")
    lowest: str | None = Field(None, description="start that ended lowest")
    spread: float | None = Field(None, description="highest minus lowest of those kept (eV)")
    dropped: list[str] = Field(default_factory=list, description="why the others do not count")


class EnergeticsDoc(BaseModel):
    """Energies beside the barriers of a study."""

    adsorption: list[AdsorptionRow] = Field(default_factory=list)
    lithium: list[LithiumRow] = Field(default_factory=list)
    reactions: list[ReactionRow] = Field(default_factory=list)
    species: list[SpeciesRow] = Field(default_factory=list, description="species with several starts")
    molecules: str = Field("", description="what gave the energies of the reactions")
    warnings: list[str] = Field(default_factory=list, description="what these energies cannot be trusted for")


class FrequencyRow(BaseModel):
    """How often the ion of a hop tries."""

    system: str
    hop: str
    attempt_frequency: float | None = Field(None, description="attempt frequency (Hz)")
    reason: str | None = Field(None, description="why there is none")


class KineticsDoc(BaseModel):
    """What the rates of a study are made with."""

    frequencies: list[FrequencyRow]
    temperatures: list[float] = Field(description="in K")
    network: tuple[int, int] | None = Field(
        None, description="for D: sites that can be jumped to, dimensions of their network"
    )

    def attempt_frequency(self, system: str, hop: str) -> float | None:
        """Give what was computed for a hop (Hz); None where there is nothing."""
        known = {(row.system, row.hop): row.attempt_frequency for row in self.frequencies}
        return known.get((system, hop))


class PublishedRow(BaseModel):
    """A published barrier beside that of one hop of the study."""

    system: str
    hop: str
    published: float = Field(description="published barrier (eV)")
    here: float | None = Field(None, description="barrier of the study (eV)")
    uncertainty: float | None = Field(None, description="of the latter: one standard deviation (eV)")


class PublishedDoc(BaseModel):
    """Published values beside those of the study."""

    source: str
    rows: list[PublishedRow]
    differs: list[str] = Field(default_factory=list, description="what was done otherwise there")


def lithium_held(end: float, whole: float, bare_end: float, bare_whole: float, *, added: bool) -> float:
    """Binding energy of an ion beside a fragment, minus that on the bare slab.

    An ion that is taken out of its site leaves an end state of energy E_end of the whole system E: it was bound by
    E − E_end; one that is added, by E_end − E. What the ion is counted from cancels in the difference to the bare slab.

    Parameters
    ----------
    end, bare_end : float
        Energy of the end state in the system and on the bare slab (eV).
    whole, bare_whole : float
        Energy of interface and slab with nothing taken out or added (eV).
    added : bool
        Whether the ion is added, rather than taken out.

    Returns
    -------
    float
        In eV; negative where the surface with the fragment holds the ion more strongly.
    """
    taken_out = (whole - end) - (bare_whole - bare_end)
    return -taken_out if added else taken_out
