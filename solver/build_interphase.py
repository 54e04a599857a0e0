"""From ``[interphase]`` and a material set to a growth law at one temperature, with sources."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from ssbmech import units
from ssbmech.config_electro import activation_energy
from ssbmech.config_interphase import RANGED, InterphaseBlock
from ssbmech.errors import CaseError, MaterialError, nearest
from ssbmech.fracture.porz import FARADAY, LITHIUM_MOLAR_VOLUME
from ssbmech.interphase.expansion import Expansion, volume_change
from ssbmech.interphase.laws import (
    MIEC,
    CurrentDriven,
    GrowthLaw,
    MixedControl,
    Parabolic,
    SelfLimiting,
    Stable,
    WindowSource,
    ambipolar,
)
from ssbmech.interphase.lookup import KEY, Values
from ssbmech.interphase.resistance import Calibration, calibrate
from ssbmech.interphase.stress import Activation, Coupling, DrivingForce
from ssbmech.interphase.uncertainty import Range
from ssbmech.materials.library import MaterialSet


@dataclass(frozen=True)
class InterphaseSetup:
    """A reaction layer and where its values come from.

    Attributes:
        law: At the temperature of the case, SI.
        initial: Thickness at the start [m].
        expansion: Growth strain; a volume change of 0 where none is known.
        finite: Whether the expansion is treated at finite strain.
        ionic: Conductivity of the layer [S/m], or None.
        electronic: Likewise, or None.
        coupling: What stress does to the growth, or None.
        calibration: The fit that gave the growth constant, or None.
        temperature: [K].
        sources: ``"interphase.key"`` to value, source and standing.
        unverified: Names of unverified library values that were used.
        notes: Warnings with numbers, and what is assumed.
        ranges: Of values of the block, for `with_values`.
    """

    law: GrowthLaw
    initial: float
    expansion: Expansion
    finite: bool
    ionic: float | None
    electronic: float | None
    coupling: Coupling | None
    calibration: Calibration | None
    temperature: float
    sources: dict[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ranges: dict[str, Range] = field(default_factory=dict)

    def check_thickness(self, thickness: float, available: float, *, where: str = "") -> None:
        """Refuse a layer that has used up its electrolyte.

        Args:
            thickness: Of the layer [m].
            available: Thickness of the electrolyte it grows into [m].
            where: What that is called, for the message.

        Raises:
            CaseError: If the layer needs as much electrolyte as there is.
        """
        used = float(self.expansion.consumed(thickness))
        if used < available:
            return
        show = units.show
        raise CaseError(
            f"a layer of {show(thickness, 'length')} uses up {show(used, 'length')} of "
            f"{where or 'the electrolyte'}, more than there is",
            key=f"{KEY}.initial_thickness" if thickness == self.initial else KEY,
            value=show(thickness, "length"),
            allowed=f"below {show(available * thickness / used, 'length')}",
        )  # fmt: skip


def interphase_setup(block: InterphaseBlock, known: MaterialSet | None) -> InterphaseSetup:
    """Resolve an interphase block.

    Args:
        block: From the case.
        known: Material set of the electrolyte, or None where the case gives values alone.

    Raises:
        CaseError: If the expansion is beyond small strain, or values contradict each other.
        MaterialError: If a value is neither given nor in the set.
    """
    look = Values(block, known)
    expansion = _expansion(look)
    if block.grown is not None:  # a run takes this share of the strain, and no more
        expansion = replace(expansion, retained=block.grown.retained)
    if block.front is not None:
        share = block.front.retained if block.front.stress else 0.0
        expansion = replace(expansion, retained=share, table="[interphase.front]")
    finite = block.expansion.strain == "finite"
    warning = expansion.small_strain(finite=finite, key=f"{KEY}.expansion.volume_change")
    if warning:
        look.notes.append(warning)
    fit = _calibration(look)
    law = _MAKERS[block.law](look, expansion, fit)
    initial = look.number("initial_thickness", "length") or 0.0
    if isinstance(law, SelfLimiting) and initial > law.limit:
        raise CaseError(
            "the layer is beyond its limit at the start", key=f"{KEY}.initial_thickness",
            value=block.initial_thickness, allowed=f"at most {units.show(law.limit, 'length')}",
        )  # fmt: skip
    return InterphaseSetup(
        law, initial, expansion, finite, look.conductivity("ionic"),
        look.conductivity("electronic"), _coupling(look, law, expansion), fit, look.temperature,
        look.sources, tuple(dict.fromkeys(look.unverified)), tuple(dict.fromkeys(look.notes)),
        look.ranges(),
    )  # fmt: skip


def with_values(block: InterphaseBlock, values: Mapping[str, float]) -> InterphaseBlock:
    """The block with other values, for a sampling over `InterphaseSetup.ranges`.

    Args:
        block: From the case.
        values: Names of `config_interphase.RANGED` to SI values.

    Raises:
        CaseError: If a value is refused.
    """
    data = block.model_dump(exclude_none=True, exclude_defaults=True) | {"law": block.law}
    for name, value in values.items():
        if name == "volume_change":
            data.setdefault("expansion", {})["volume_change"] = value
            data["expansion"].pop("product_molar_volume", None)
        else:
            data[name] = f"{value!r} {units.dimension_of(RANGED[name]).unit}"
        if name == "growth_constant":
            data.pop("calibration", None)
    return validated(data)


def validated(data: Mapping[str, Any]) -> InterphaseBlock:
    """A block from plain data.

    Raises:
        CaseError: With every fault in one message.
    """
    try:
        return InterphaseBlock.model_validate(data)
    except ValidationError as error:
        raise CaseError("; ".join(_fault(dict(e)) for e in error.errors())) from None


def _fault(item: dict[str, Any]) -> str:
    """One fault; pydantic names validators in its paths, which users did not write."""
    path = [str(p) for p in item["loc"] if not str(p).startswith("function-")]
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        inner = InterphaseBlock.model_fields.get(path[0]) if len(path) > 1 else None
        model = _model(inner.annotation) if inner is not None else InterphaseBlock
        message = f"unknown key. {nearest(path[-1], model.model_fields)}"
    return f"{'.'.join([KEY, *path])}: {message}"


def _model(annotation: Any) -> Any:
    """The table that a field holds."""
    return next((a for a in typing.get_args(annotation) if hasattr(a, "model_fields")), annotation)


def _expansion(look: Values) -> Expansion:
    """Volume change of the case, from molar volumes, or of the set; 0 with a note otherwise."""
    block, where = look.block.expansion, "expansion."
    share = block.normal_share
    if look.block.law == "stable" and block.volume_change is None:
        return Expansion(0.0, share)
    if block.volume_change is not None:
        look.sources[f"{KEY}.{where}volume_change"] = f"{block.volume_change:g}: given in the case"
        return Expansion(block.volume_change, share)
    product = look.number("product_molar_volume", "molar_volume", of=block, under=where)
    with_lithium = block.reference == "electrolyte_and_lithium"
    if product is not None:
        volume = look.number("electrolyte_molar_volume", "molar_volume", of=block, under=where)
        assert volume is not None
        change = volume_change(
            volume, product, block.lithium_per_formula or 1.0, with_lithium=with_lithium,
            lithium_volume=LITHIUM_MOLAR_VOLUME,
        )  # fmt: skip
        return Expansion(change, share)
    key = "reaction_volume_change_with_li" if with_lithium else "reaction_volume_change"
    if not look.has(key):
        look.notes.append("no volume change of the reaction is known: the layer does not push")
        return Expansion(0.0, share)
    change, band = look.library(key)
    band = band or _eigenstrain_band(look, with_lithium)
    if band is not None:
        look.found["volume_change"] = band
    return Expansion(change, share)


def _eigenstrain_band(look: Values, with_lithium: bool) -> Range | None:
    """Range of dV/V that the range of the linear growth strain means, relative to electrolyte."""
    if with_lithium or not look.has("growth_eigenstrain"):
        return None
    _, linear = look.library("growth_eigenstrain")
    if linear is None:
        return None
    return Range((1.0 + linear.low) ** 3 - 1.0, (1.0 + linear.high) ** 3 - 1.0)


def _calibration(look: Values) -> Calibration | None:
    block = look.block.calibration
    if block is None:
        return None
    R = "area_specific_resistance"
    fit = calibrate(
        [units.quantity(t, "time") for t in block.times],
        [units.quantity(r, R) for r in block.resistances],
        units.quantity(block.start, R),
    )
    look.notes.append(fit.text())
    return fit


def _stable(look: Values, expansion: Expansion, fit: Calibration | None) -> GrowthLaw:
    return Stable()


def _constant(look: Values, fit: Calibration | None) -> float:
    """Growth constant [m^2/s] at the temperature of the case, given or from a calibration."""
    if fit is None:
        k = look.required("growth_constant", "diffusivity")
    else:
        kappa = look.number("ionic_conductivity", "conductivity")
        assert kappa is not None
        k = fit.growth_constant(kappa)
        look.sources[f"{KEY}.growth_constant"] = f"{k:.4g} m^2/s: {fit.label}"
    return k * look.thermal("activation_energy", "the growth constant")


def _surface_rate(look: Values) -> float | None:
    """k_s [m/s] at the temperature of the case, or None."""
    k_s = look.number("reaction_rate", "velocity")
    if k_s is None:
        return None
    return k_s * look.thermal("reaction_activation_energy", "the reaction rate")


def _parabolic(look: Values, expansion: Expansion, fit: Calibration | None) -> GrowthLaw:
    return Parabolic(_constant(look, fit))


def _mixed(look: Values, expansion: Expansion, fit: Calibration | None) -> GrowthLaw:
    k_s = _surface_rate(look)
    assert k_s is not None
    return MixedControl(k_s, _constant(look, fit))


def _self_limiting(look: Values, expansion: Expansion, fit: Calibration | None) -> GrowthLaw:
    limit = look.required("limit", "length")
    look.notes.append(
        "self_limiting: its final thickness can be measured; the way there, (1/delta - 1/limit), "
        "is an assumption"
    )
    k_s = _surface_rate(look)
    return SelfLimiting(limit, _constant(look, fit), math.inf if k_s is None else k_s)


def _volume_per_lithium(look: Values, expansion: Expansion) -> float:
    """Given, or V (1 + dV/V)/n of the expansion block."""
    own = look.number("volume_per_lithium", "molar_volume")
    if own is not None:
        return own
    block = look.block.expansion
    volume = look.number("electrolyte_molar_volume", "molar_volume", of=block, under="expansion.")
    if volume is None or block.lithium_per_formula is None:
        raise MaterialError(
            f"the law {look.block.law} needs the volume of layer per mole of lithium",
            key=f"{KEY}.volume_per_lithium",
            hint="Give it, or electrolyte_molar_volume and lithium_per_formula in "
            "[interphase.expansion]",
        )  # fmt: skip
    n = block.lithium_per_formula
    before = volume
    if block.reference == "electrolyte_and_lithium":
        before += n * LITHIUM_MOLAR_VOLUME
    value = before * (1.0 + expansion.volume_change) / n
    look.sources[f"{KEY}.volume_per_lithium"] = (
        f"{units.show(value, 'molar_volume')}: products of the expansion over {n:g} Li"
    )
    return value


def _reaction_resistance(look: Values) -> float:
    R = look.number("reaction_resistance", "area_specific_resistance") or 0.0
    return R / look.thermal("reaction_activation_energy", "the reaction's resistance") if R else 0.0


def _miec(look: Values, expansion: Expansion, fit: Calibration | None) -> GrowthLaw:
    ions, electrons = look.both_conductivities()
    return MIEC(
        ions, electrons, look.required("reduction_potential", "potential"),
        _volume_per_lithium(look, expansion), _reaction_resistance(look),
        look.number("interface_resistance", "area_specific_resistance") or 0.0,
    )  # fmt: skip


def _current_driven(look: Values, expansion: Expansion, fit: Calibration | None) -> GrowthLaw:
    share = look.block.current_share
    assert share is not None
    chemical: Parabolic | MixedControl | None = None
    if look.block.growth_constant is not None:
        k_s, k = _surface_rate(look), _constant(look, None)
        chemical = Parabolic(k) if k_s is None else MixedControl(k_s, k)
    return CurrentDriven(
        _volume_per_lithium(look, expansion), share, chemical, look.block.both_directions
    )


def _window(look: Values, expansion: Expansion, fit: Calibration | None) -> GrowthLaw:
    return WindowSource(
        look.required("reduction_potential", "potential"),
        look.required("oxidation_potential", "potential"),
        _volume_per_lithium(look, expansion), ambipolar(*look.both_conductivities()),
        _reaction_resistance(look),
    )  # fmt: skip


_MAKERS = {
    "stable": _stable,
    "parabolic": _parabolic,
    "mixed_control": _mixed,
    "self_limiting": _self_limiting,
    "miec": _miec,
    "current_driven": _current_driven,
    "window": _window,
}


def _coupling(look: Values, law: GrowthLaw, expansion: Expansion) -> Coupling | None:
    """What stress does; the energy of the miec law is n F U where none is given."""
    block = look.block.stress
    if block is None:
        return None
    if block.coupling == "activation":
        volume = look.number("activation_volume", "molar_volume", of=block, under="stress.")
        assert volume is not None
        return Activation(volume, look.temperature)
    volume = look.number(
        "electrolyte_molar_volume", "molar_volume", of=look.block.expansion, under="expansion."
    )
    if volume is None:
        raise MaterialError(
            "the work of expansion needs the molar volume of the electrolyte",
            key=f"{KEY}.expansion.electrolyte_molar_volume", hint="Give it",
        )  # fmt: skip
    if expansion.volume_change == 0.0:
        look.notes.append("stress does no work on a reaction without a volume change")
    return DrivingForce(_energy(look, law), volume)


def _energy(look: Values, law: GrowthLaw) -> float:
    text = look.block.stress.reaction_energy if look.block.stress is not None else None
    if text is not None:
        look.sources[f"{KEY}.stress.reaction_energy"] = f"{text}: given in the case"
        return activation_energy(text, key=f"{KEY}.stress.reaction_energy")
    n = look.block.expansion.lithium_per_formula
    if isinstance(law, MIEC) and n is not None:
        value = n * FARADAY * law.potential_drop
        look.sources[f"{KEY}.stress.reaction_energy"] = (
            f"{units.show(value, 'molar_energy')}: n F times the reduction potential"
        )
        return value
    raise MaterialError(
        "the coupling driving_force needs the energy that the reaction sets free",
        key=f"{KEY}.stress.reaction_energy",
        hint="Give it, or (law miec) lithium_per_formula in [interphase.expansion]",
    )
