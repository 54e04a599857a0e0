"""Answers the Porz question from closed forms, without a mesh: what ``ssbmech porz`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssbmech import units
from ssbmech.errors import FractureError
from ssbmech.fracture import porz
from ssbmech.fracture.factors import (
    GEOMETRIES,
    Factor,
    canonical,
    critical_opening,
    geometry_factor,
)

#: A length, toughness, … as SI number or as text with a unit.
Quantity = float | str


@dataclass(frozen=True)
class Answer:
    """The answer with what it rests on.

    Attributes:
        result: The assessment.
        geometry: Canonical name of the geometry.
        factor: Geometry factor with its place and source.
        material: Name of the material, or empty.
        c: Half-width [m], or None.
        opening: Opening at extension [m], where a closed form and E, nu exist; else None.
        unverified: ``"name.key"`` of the unverified library values used.
        worst: The assessment at the most loaded point, where that is another one; else None.
        worst_where: That point, in words.
    """

    result: porz.PorzResult
    geometry: str
    factor: Factor
    material: str
    c: float | None
    opening: float | None
    unverified: tuple[str, ...]
    worst: porz.PorzResult | None = None
    worst_where: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in SI."""
        return {
            "geometry": self.geometry,
            "material": self.material or None,
            "c": self.c,
            "where": self.factor.where,
            "factor_source": self.factor.source,
            "critical_opening": self.opening,
            "unverified": list(self.unverified),
            "worst": (
                None if self.worst is None else {"where": self.worst_where, **self.worst.as_dict()}
            ),
            **self.result.as_dict(),
        }

    def text(self) -> str:
        """Return the table that the command prints."""
        r, show = self.result, units.show
        low, high = r.critical_pressure_band
        banded = high > low
        rows = [
            ("flaw", f"{self.geometry}: {GEOMETRIES[self.geometry]}"),
            ("size a", show(r.a, "length") + (f", c {show(self.c, 'length')}" if self.c else "")),
            ("geometry factor Y", f"{r.Y:.4f}, {self.factor.where} ({self.factor.source})"),
            ("K_IC", show(r.K_IC, "toughness") + (f" ({self.material})" if self.material else "")),
            ("critical pressure", show(r.critical_pressure, "pressure")),
            ("critical overpotential", show(r.critical_overpotential, "potential")),
        ]
        if banded:
            band = r.critical_overpotential_band
            scatter = (
                f"{show(low, 'pressure')} to {show(high, 'pressure')}, "
                f"{show(band[0], 'potential')} to {show(band[1], 'potential')}"
            )
            rows.append(("  in the range of K_IC", scatter))
        if self.opening is not None:
            rows.append(("opening at extension", show(self.opening, "length")))
        if r.applied_pressure is not None and r.applied_overpotential is not None:
            rows += [
                ("applied overpotential", show(r.applied_overpotential, "potential")),
                ("applied pressure", show(r.applied_pressure, "pressure")),
                ("margin (critical/applied)", f"{r.margin:.4g}"),
            ]
        verdict = r.verdict
        if self.worst is not None and self.worst.verdict != r.verdict:
            verdict += f" at the {self.factor.where}, but {self.worst.verdict} at the "
            verdict += self.worst_where
        elif r.verdict_band[0] != r.verdict_band[1]:
            verdict += f" ({r.verdict_band[0]} at the low end of K_IC, {r.verdict_band[1]} at the"
            verdict += " high end)"
        rows.append(("verdict", verdict))
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        return "\n".join([*lines, *(f"note: {n}" for n in r.notes)])


def _si(value: Quantity | None, dimension: str, key: str) -> float | None:
    if value is None or isinstance(value, (int, float)):
        return value  # numbers are SI in the Python API
    return units.quantity(value, dimension, key=key)


def answer(
    geometry: str,
    a: Quantity,
    *,
    c: Quantity | None = None,
    position: str = "deepest",
    material: str | None = None,
    K_IC: Quantity | None = None,
    overpotential: Quantity | None = None,
    pressure: Quantity | None = None,
    partial_molar_volume: Quantity = 0.0,
    molar_volume: Quantity | None = None,
    library: Path | None = None,
) -> Answer:
    """Return whether a flaw extends, from closed forms.

    Args:
        geometry: A key of `ssbmech.fracture.factors.GEOMETRIES`.
        a: Size of the flaw [m], or text with a unit.
        c: Half-width [m] of an ellipse or semi-ellipse.
        position: ``"deepest"``, ``"surface"`` or ``"max"`` (the most loaded point of the front).
        material: Set of the library that gives K_IC with its range.
        K_IC: Fracture toughness [Pa√m]; takes precedence over the material's.
        overpotential: Plating overpotential [V].
        pressure: Pressure in the flaw [Pa]; not together with ``overpotential``.
        partial_molar_volume: V₊ of Li+ in the electrolyte [m³/mol].
        molar_volume: V_m [m³/mol]; lithium's unless given.
        library: A user's library file.

    Raises:
        SsbmechError: If an argument is missing, unknown or out of range.
    """
    name = canonical(geometry)
    size = _si(a, "length", "a")
    half_width = _si(c, "length", "c")
    assert size is not None
    for key, value in (("a", size), ("c", half_width)):
        if value is not None and not 0.0 < value < float("inf"):
            raise FractureError("the size must be positive", key=key, value=value,
                                allowed="above 0")  # fmt: skip
    ratio = None if half_width is None else size / half_width
    factor = geometry_factor(name, a_over_c=ratio, position=position)
    toughness, notes = _si(K_IC, "toughness", "K_IC"), []
    band: tuple[float, float] | None = None
    opening_modulus: float | None = None
    unverified: list[str] = []
    if material is not None:
        from ssbmech.materials.library import get

        chosen = get(material, library)
        if toughness is None:
            known = chosen["K_IC"]
            toughness, band = known.value, known.band
            if not known.verified:
                unverified.append(f"{material}.K_IC")
                notes.append(f"K_IC of {material} is unverified ({known.source})")
        if "E" in chosen.values and "nu" in chosen.values:
            nu = chosen["nu"].value
            opening_modulus = chosen["E"].value / (1.0 - nu**2)
    if toughness is None:
        raise FractureError("a toughness is missing", key="K_IC", allowed="'1 MPa*m^0.5'",
                            hint="Give K_IC, or a material that has one")  # fmt: skip
    volume = _si(molar_volume, "molar_volume", "molar_volume")
    partial = _si(partial_molar_volume, "molar_volume", "partial_molar_volume")
    loads = {
        "overpotential": _si(overpotential, "potential", "overpotential"),
        "pressure": _si(pressure, "pressure", "pressure"),
        "molar_volume": porz.LITHIUM_MOLAR_VOLUME if volume is None else volume,
        "partial_molar_volume": partial or 0.0,
    }
    worst, worst_where = None, ""
    if name in ("half-penny", "semi-ellipse", "ellipse") and position != "max":
        top = geometry_factor(name, a_over_c=ratio, position="max")
        if top.Y > factor.Y * (1.0 + 1e-9):
            worst_where = top.where
            worst = porz.assess(toughness, top.Y, size, K_IC_band=band, **loads)  # type: ignore[arg-type]
            notes.append(
                f"the {top.where} is loaded more: Y {top.Y:.4f}, critical at "
                f"{units.show(worst.critical_pressure, 'pressure')} or "
                f"{units.show(worst.critical_overpotential, 'potential')}"
            )
    result = porz.assess(toughness, factor.Y, size, K_IC_band=band, notes=notes, **loads)  # type: ignore[arg-type]
    opening = None
    if opening_modulus is not None:
        opening = critical_opening(name, result.critical_pressure, size, opening_modulus)
        if opening is not None and material is not None:
            unverified += chosen.unverified_used(("E", "nu"))
    return Answer(
        result,
        name,
        factor,
        material or "",
        half_width,
        opening,
        tuple(sorted(set(unverified))),
        worst,
        worst_where,
    )
