"""From ``[interphase]`` and electrodes with ``layer = true`` to the layers that lie on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from ssbmech import units
from ssbmech.build_interphase import interphase_setup
from ssbmech.build_materials import electrolyte_set
from ssbmech.config import Case
from ssbmech.electro.problem import Electrode
from ssbmech.errors import CaseError
from ssbmech.interphase.laws import MIEC
from ssbmech.interphase.layer import Grown, Layer
from ssbmech.physics import kinetics


@dataclass(frozen=True)
class Layers:
    """The layers of a case.

    Attributes:
        grown: In the order of the electrodes, aged at rest.
        age: How long they grow under the current of a steady case [s]; 0 where they do not.
        notes: Choices made for the user, in words.
        sources: ``"interphase.key"`` to value, source and standing.
        unverified: Names of unverified library values that were used.
    """

    grown: tuple[Grown, ...] = ()
    age: float = 0.0
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    def on(self, electrodes: tuple[Electrode, ...]) -> tuple[Electrode, ...]:
        """Electrodes with the resistances of their layers."""
        return with_layers(electrodes, self.grown)


def with_layers(
    electrodes: tuple[Electrode, ...], grown: tuple[Grown, ...]
) -> tuple[Electrode, ...]:
    """Electrodes with the resistances of the layers that lie on them.

    An electrode without kinetics has those of the layer alone.
    """
    of = {g.layer.electrode: g for g in grown}
    return tuple(
        e
        if e.name not in of
        else replace(
            e,
            layer=of[e.name].resistance,
            kinetics="linear" if e.kinetics == "none" else e.kinetics,
        )
        for e in electrodes
    )


def layers(case: Case, base: Path, electrodes: tuple[Electrode, ...], temperature: float) -> Layers:
    """Resolve the layers of a case (without MPI).

    Args:
        case: The case.
        base: Folder in which its relative paths start.
        electrodes: In the order of the case, without layers.
        temperature: [K].

    Raises:
        CaseError: If an electrode without kinetics would have no resistance at all.
        MaterialError: If a value of the layer is neither given nor in the set.
    """
    block = case.interphase
    numbers = [i for i, e in enumerate(case.electrode) if e.layer]
    if block is None or not numbers:
        return Layers()
    setup = interphase_setup(block, electrolyte_set(case, base))
    assert setup.ionic is not None  # the schema has seen to it
    age = 0.0 if block.age is None else units.quantity(block.age, "time")
    under_current = block.aging == "current"
    grown = []
    for i in numbers:
        e = electrodes[i]
        own = e.resistance
        if e.kinetics == "butler_volmer":
            own = kinetics.area_specific_resistance(e.i0, temperature)
        law = setup.law
        if isinstance(law, MIEC):
            law = replace(law, interface_resistance=own)
        layer = Layer(e.name, law, setup.ionic, setup.initial, own)
        if not under_current:
            layer = replace(layer, initial=layer.grown(layer.initial, age, 0.0))
        thickness = layer.initial
        if e.kinetics == "none" and not thickness > 0.0 and not (under_current and age > 0.0):
            raise CaseError(
                "the layer has no thickness at the start, and the electrode no other resistance",
                key=f"electrode.{i}.layer", value=True,
                hint="Give interphase.initial_thickness or age, or the electrode an "
                "area_specific_resistance",
            )  # fmt: skip
        grown.append(Grown(layer, thickness))
    names = ", ".join(g.layer.electrode for g in grown)
    notes = (
        f"layer on {names}, law {block.law}: thickness over {block.ionic_conductivity} in series "
        "with the electrode's own resistance at every point; one thickness per electrode, the "
        "electrolyte is as thick as before, and the layer does not push",
        *(n for n in setup.notes if "push" not in n and "strain" not in n),
    )
    return Layers(
        tuple(grown), age if under_current else 0.0, notes, setup.sources, setup.unverified
    )
