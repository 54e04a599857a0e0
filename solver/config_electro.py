"""The schema of the electric part of a case: conductivities and electrodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from ssbmech import units
from ssbmech.config_types import Block, checked, formula_field, quantity_field, text_of
from ssbmech.errors import UnitError

_AVOGADRO = 6.02214076e23


def activation_energy(text: str, *, key: str = "") -> float:
    """Activation energy [J/mol], from a text per mole ("33 kJ/mol") or per ion ("0.34 eV")."""
    try:
        value = units.quantity(text, "energy", key=key) * _AVOGADRO
    except UnitError:
        value = units.quantity(text, "molar_energy", key=key)
    return value


def _positive_activation(text: str) -> None:
    if activation_energy(text) < 0:
        raise UnitError("an activation energy is not negative", value=text, allowed="0 eV or above")


Conductivity = quantity_field("conductivity", 0.0)
Resistance = quantity_field("area_specific_resistance", 0.0)
Activation = Annotated[str, BeforeValidator(text_of), AfterValidator(checked(_positive_activation))]


class ElectroBlock(Block):
    """Ion conduction: conductivities and temperature; electrodes are [[electrode]]."""

    conductivity: dict[str, Conductivity] = Field(
        default_factory=dict,
        description="of material groups, e.g. { electrolyte = '0.46 mS/cm' }; by default that of "
        "the group's material set (of a group `grain_boundary` that of its grain boundaries)",
    )
    conductivity_axes: dict[str, list[Conductivity]] = Field(
        default_factory=dict,
        description="of groups that are crystals: three principal values along the crystal axes, "
        "in the orientation of each grain (without grains along x, y, z), e.g. { electrolyte = "
        "['1 mS/cm', '1 mS/cm', '0.1 mS/cm'] }",
    )
    activation_energy: dict[str, Activation] = Field(
        default_factory=dict,
        description="of material groups, per ion or per mole, e.g. { electrolyte = '0.34 eV' }: "
        "kappa = kappa_ref exp(-Ea/R (1/T - 1/T_ref)); by default that of the material set where "
        "the conductivity comes from there, else none",
    )
    boundary_resistance: dict[str, Resistance] = Field(
        default_factory=dict,
        description="Z of facet groups inside what conducts, at which the potential jumps by Z i, "
        "e.g. { grain_boundaries = '10 ohm*cm^2' }: boundaries without a thickness",
    )
    boundary_activation_energy: dict[str, Activation] = Field(
        default_factory=dict,
        description="of these facet groups: Z = Z_ref exp(+Ea/R (1/T - 1/T_ref)); by default none",
    )
    electronic_conductivity: dict[str, Conductivity] = Field(
        default_factory=dict,
        description="of groups that conduct ions, e.g. { electrolyte = '5e-8 S/cm' }: electrons "
        "that leak, the potential of lithium inside, and where it could form there",
    )
    inner_pressure: quantity_field("pressure") = Field(
        "0 MPa",
        description="p on lithium that forms inside: it can where its potential is below -p V_m/F",
    )
    insulating: list[str] = Field(
        default_factory=list,
        description="material groups that do not conduct ions; lithium, impurity and stack_plate "
        "never do",
    )
    temperature: quantity_field("temperature", 0.0) = Field("298.15 K", description="T")
    reference_temperature: quantity_field("temperature", 0.0) = Field(
        "298.15 K", description="T_ref, at which the conductivities hold"
    )
    molar_volume: quantity_field("molar_volume", 0.0) | None = Field(
        None, description="V_m of lithium in the stress term; by default the library's"
    )
    partial_molar_volume: quantity_field("molar_volume") = Field(
        "0 cm^3/mol", description="V_+ of Li+ in the electrolyte; V_m - V_+ takes the place of V_m"
    )
    degree: int | None = Field(
        None, ge=1, le=4, description="polynomial degree of the potential; by default the solver's"
    )
    error_estimate: bool = Field(
        True, description="also solve one degree higher: values from there, difference as error"
    )

    @model_validator(mode="after")
    def _consistent(self) -> ElectroBlock:
        for group, values in self.conductivity_axes.items():
            if len(values) != 3:
                raise ValueError(
                    f"conductivity_axes.{group}: {len(values)} values are given. Allowed: three, "
                    "one along each crystal axis"
                )
            if group in self.conductivity:
                raise ValueError(
                    f"conductivity.{group}: the group has conductivity_axes as well. Allowed: one "
                    "of them"
                )
        for group in self.boundary_activation_energy:
            if group not in self.boundary_resistance:
                raise ValueError(
                    f"boundary_activation_energy.{group}: the group has no boundary_resistance"
                )
        return self


def block_of(given: ElectroBlock | None) -> ElectroBlock:
    """The block, or the defaults where a case has electrodes and no [electrochemistry]."""
    return ElectroBlock.model_validate({}) if given is None else given


class ElectrodeBlock(Block):
    """A lithium surface or another electrode; surfaces that are none insulate.

    One electrode is driven: it has a ``potential`` or a ``plating_current_density``. The others are
    the reference, at 0 V.
    """

    group: str | list[str] = Field(description="facet group, or several that are one electrode")
    name: str | None = Field(None, description="in the results; by default its first facet group")
    kinetics: Literal["butler_volmer", "linear", "none"] = Field(
        "butler_volmer", description="none: no resistance of the interface"
    )
    exchange_current_density: quantity_field("current_density", 0.0) | None = Field(
        None, description="i0 of Butler-Volmer"
    )
    area_specific_resistance: quantity_field("area_specific_resistance", 0.0) | None = Field(
        None, description="Z; Butler-Volmer takes i0 = RT/(F Z)"
    )
    symmetry_factor: float = Field(0.5, gt=0, lt=1, description="beta of Butler-Volmer")
    potential: quantity_field("potential") | None = Field(
        None, description="drives the cell: potential of this electrode against the others"
    )
    plating_current_density: quantity_field("current_density") | None = Field(
        None,
        description="drives the cell: mean over this electrode, positive when lithium is plated "
        "on it, negative when it is stripped (or Li+ leaves a cathode)",
    )
    open_circuit_voltage: quantity_field("potential") = Field(
        "0 V",
        description="of this electrode against lithium, for the electrons that leak; 0 V: lithium",
    )
    normal_stress: formula_field("pressure") | None = Field(
        None, description="of the surface, tension positive: shifts the equilibrium by V_m s/F"
    )
    layer: bool = Field(
        False,
        description="the reaction layer of [interphase] lies on it: a lithium electrode whose "
        "resistance is its own in series with thickness over the layer's ionic_conductivity",
    )
    peak_distance: quantity_field("length", 0.0) | None = Field(
        None,
        description="without kinetics, on a surface with sharp edges: the largest current density "
        "at this distance from them or farther",
    )

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the facet groups."""
        return (self.group,) if isinstance(self.group, str) else tuple(self.group)

    @property
    def label(self) -> str:
        """What it is called in the results."""
        return self.name or self.groups[0]

    @property
    def is_driven(self) -> bool:
        """Whether its potential or its current is given."""
        return self.potential is not None or self.plating_current_density is not None

    @model_validator(mode="after")
    def _complete(self) -> ElectrodeBlock:
        if not self.groups:
            raise ValueError("an electrode needs at least one facet group")
        i0, Z = self.exchange_current_density, self.area_specific_resistance
        if self.kinetics == "none":
            if i0 is not None or Z is not None:
                raise ValueError('kinetics = "none" takes no resistance or exchange current')
        elif (i0 is None) == (Z is None):
            raise ValueError(
                "give either exchange_current_density or area_specific_resistance, or "
                'kinetics = "none"'
            )
        elif self.kinetics == "linear" and Z is None:
            raise ValueError("linear kinetics takes an area_specific_resistance")
        if self.potential is not None and self.plating_current_density is not None:
            raise ValueError("give either potential or plating_current_density")
        return self


def check_electrodes(block: bool, electrodes: Sequence[ElectrodeBlock]) -> None:
    """Refuse electrodes that do not make a cell.

    Args:
        block: Whether there is an [electrochemistry] block.
        electrodes: The electrodes.

    Raises:
        ValueError: With the key, what is given and what is allowed.
    """
    if not electrodes:
        if block:
            raise ValueError(
                "electrode: no electrode is given. Allowed: two or more [[electrode]], one of them "
                "with a potential or a plating_current_density"
            )
        return
    if len(electrodes) < 2:
        raise ValueError(
            "electrode: a cell needs two electrodes, and one is given. Add the other "
            '[[electrode]], e.g. group = "cathode_plane"'
        )
    _check_groups(electrodes)
    driven: list[Any] = [i for i, e in enumerate(electrodes) if e.is_driven]
    if not driven:
        raise ValueError(
            "electrode: no electrode is driven. Give one of them a potential or a "
            "plating_current_density; the others are at 0 V"
        )
    if len(driven) > 1:
        names = ", ".join(f"electrode.{i}" for i in driven)
        raise ValueError(
            f"electrode: {len(driven)} electrodes are driven ({names}). Allowed: one; the others "
            "are at 0 V"
        )


def _check_groups(electrodes: Sequence[ElectrodeBlock]) -> None:
    seen: dict[str, int] = {}
    for i, electrode in enumerate(electrodes):
        for group in electrode.groups:
            if group in seen:
                raise ValueError(
                    f"electrode.{i}.group: {group!r} belongs to electrode.{seen[group]} already. "
                    "Allowed: every facet group in one electrode only"
                )
            seen[group] = i
    labels = [e.label for e in electrodes]
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise ValueError(
                f"electrode.{i}.name: {label!r} is electrode.{labels.index(label)} already. "
                "Allowed: another name"
            )
