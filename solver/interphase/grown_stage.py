"""The stage of a run in which a layer thickens: thickness, stress, first cracking, and its spread.

For each time of the case: thickness by the law, depth of electrolyte used up, mesh, one linear
problem. The case at the last depth then goes through the ordinary steps of a run, which gives the
fields, the rings and the pictures of the thickest layer.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import __version__, units
from ssbmech.build_interphase import InterphaseSetup, interphase_setup, with_values
from ssbmech.build_materials import Materials, electrolyte_set
from ssbmech.config import Case
from ssbmech.config_interphase import InterphaseBlock
from ssbmech.errors import CaseError
from ssbmech.fracture.rings import RingOptions
from ssbmech.interphase.grown import Posed, Response, respond
from ssbmech.interphase.grown_case import Growing
from ssbmech.interphase.laws import Conditions
from ssbmech.interphase.onset import Onset, first_along, flaw_intensity, time_of
from ssbmech.interphase.resistance import layer_resistance
from ssbmech.interphase.step_store import STEPS, StepStore
from ssbmech.interphase.uncertainty import Range, Table, run_samples
from ssbmech.log import Progress
from ssbmech.parallel import on_root

#: File of the samples, which stays in the results folder and is continued.
SAMPLES = "interphase_samples.csv"


@dataclass(frozen=True)
class Grown:
    """Everything that a growing layer gave; the same on every rank.

    Attributes:
        growing: The layer in its case.
        last: The static case at the last depth.
        times: [s], (n,); inf where the law never reaches a thickness.
        thicknesses: [m], (n,).
        response: Stresses over depth.
        limits: Strength [Pa] and toughness [Pa m^0.5], where known.
        onsets: First cracking by place, stress and criterion.
        table: Samples over the ranges, or None.
        ranges: That were sampled.
        notes: What limits the result, in words.
        unverified: Library values that were used.
    """

    growing: Growing
    last: Case
    times: NDArray[np.float64]
    thicknesses: NDArray[np.float64]
    response: Response
    limits: dict[str, float]
    onsets: tuple[Onset, ...]
    table: Table | None = None
    ranges: dict[str, Range] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()

    @property
    def block(self) -> InterphaseBlock:
        """What the case says of the layer."""
        return self.growing.interphase

    @property
    def setup(self) -> InterphaseSetup:
        """Law and expansion."""
        return self.growing.setup

    @property
    def resistances(self) -> NDArray[np.float64] | None:
        """Of the layer [ohm m^2], or None without an ionic conductivity."""
        kappa = self.setup.ionic
        return None if kappa is None else layer_resistance(self.thicknesses, kappa)

    def first(self, criterion: str) -> Onset | None:
        """The onset with the smallest thickness, None where nothing cracks by this criterion."""
        found = [o for o in self.onsets if o.criterion == criterion and o.happens]
        return min(found, key=lambda o: o.thickness, default=None)


def run_grown(
    case: Case,
    base: Path,
    comm: Any,
    progress: Progress,
    folder: Path | None = None,
    *,
    resume: bool = True,
) -> Grown:
    """Thicken the layer of a case by its law, and find when it cracks (collective).

    Args:
        case: With ``[interphase.grown]``.
        base: Folder in which its paths start.
        comm: MPI communicator.
        progress: For timed lines.
        folder: In which samples are kept and continued, and finished steps until the run is
            finished; None: nothing is kept.
        resume: Go on with what is there; else all is made anew.

    Raises:
        SsbmechError: On every rank.
    """
    block = case.interphase
    assert block is not None and block.grown is not None
    growing = Growing(
        case, base, block, block.grown, interphase_setup(block, electrolyte_set(case, base))
    )
    notes = growing.check()
    times, thicknesses = programme(growing)
    depths = np.asarray(growing.setup.expansion.consumed(thicknesses))
    for depth, thickness in zip(depths, thicknesses, strict=True):
        growing.check_depth(float(depth), float(thickness))
    with progress.stage("layer") as note:
        response, matter = _respond(growing, depths, comm, note, folder, resume)
        note(f"{len(depths)} depths, {len(response.series)} stiffnesses of the layer each")
    limits = growing.limits(matter)
    onsets = find_onsets(growing, response, limits, growing.setup)
    unverified = tuple(dict.fromkeys([*growing.setup.unverified, *matter.unverified]))
    # the setup's own warning is about the whole strain; what counts here is what is retained
    whole = growing.setup.expansion.small_strain(finite=False)
    notes += [text for text in growing.setup.notes if text != whole]
    if block.expansion.reference == "electrolyte_and_lithium":
        notes.append(
            "the depth of the layer is that of the electrolyte and the lithium that it came from"
        )
    if "toughness" not in limits:
        notes.append("no toughness of the electrolyte is known: no criterion by energy")
    found = Grown(
        growing, growing.static(float(depths[-1])), times, thicknesses, response, limits,
        onsets, notes=tuple(dict.fromkeys(notes)), unverified=unverified,
    )  # fmt: skip
    if growing.block.samples:
        borrowed = on_root(comm, lambda: Path(tempfile.mkdtemp()))
        place = (borrowed if folder is None else folder) / SAMPLES
        with progress.stage("samples") as note:
            table, ranges = sample(found, matter, place, comm, resume=resume, quiet=progress.quiet)
            note(f"{growing.block.samples} over {len(ranges)} ranges")
        if comm.rank == 0:
            shutil.rmtree(borrowed, ignore_errors=True)
        found = replace(found, table=table, ranges=ranges)
    if folder is not None:
        on_root(comm, lambda: (folder / STEPS).unlink(missing_ok=True))
    return found


def programme(growing: Growing) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times [s] and thicknesses [m] of the steps, one from the other by the law.

    Raises:
        CaseError: Where nothing has grown, or a time adds nothing that a mesh could show.
    """
    block, setup, now = growing.block, growing.setup, conditions(growing)
    if block.thicknesses:
        thicknesses = np.array([units.quantity(t, "length") for t in block.thicknesses])
        times = np.array([time_of(setup.law, setup.initial, float(d), now) for d in thicknesses])
        return times, thicknesses
    times = np.array([units.quantity(t, "time") for t in block.times])
    thicknesses = np.asarray(setup.law.advance(setup.initial, times, now), float)
    thicknesses = np.broadcast_to(thicknesses, times.shape).copy()
    if thicknesses[0] <= 0.0:
        raise CaseError(
            "no layer has grown", key="interphase.grown.times", value=block.times[0],
            hint=f"Law {type(setup.law).__name__}, {thicknesses[0]:.3g} m",
        )  # fmt: skip
    return times, thicknesses


def conditions(growing: Growing) -> Conditions:
    """Current and potential under which it grows."""
    potential = growing.block.potential
    return Conditions(
        current_density=units.quantity(growing.block.current_density, "current_density"),
        potential=None if potential is None else units.quantity(potential, "potential"),
    )


def _respond(
    growing: Growing, depths: NDArray[np.float64], comm: Any, note: Any, folder: Path | None,
    resume: bool,
) -> tuple[Response, Materials]:  # fmt: skip
    """Solve at all depths; at three stiffnesses of the layer where that is sampled.

    What is finished is kept in the folder until the run is, and taken from there.
    """
    seen: dict[float, Any] = {}

    def make(depth: float) -> Posed:
        posed, _, seen[0.0] = growing.pose(depth, comm)
        return posed

    first, _, matter = growing.pose(float(depths[0]), comm)
    E_layer, E = growing.moduli(matter)
    moduli = _moduli(growing, matter, E_layer, E) if growing.block.samples else ()
    block = growing.case.fracture
    options = RingOptions(
        radii=tuple(sorted(units.quantity(t, "length") for t in block.rings)),
        spread_limit=block.ring_spread_limit, points=block.points,
        width=units.quantity(block.width, "length") if block.width else 0.0,
    )  # fmt: skip
    kept = {float(depths[0]): first}
    store = None
    if folder is not None:
        on_root(comm, lambda: folder.mkdir(parents=True, exist_ok=True))
        about = f"{__version__}\n{_identity(growing)}"
        store = StepStore(folder / STEPS, about, comm, resume=resume)
        if store.count:
            note(f"{store.count} solutions are there already")
    response = respond(
        lambda depth: kept.pop(depth, None) or make(depth), [float(d) for d in depths],
        growing.block.group, growing.lines, moduli=moduli,
        nominal=(E_layer, E, growing.in_plane), options=options, rtol=growing.case.solver.rtol,
        note=note, kept=store,
    )  # fmt: skip
    return response, matter


def _moduli(
    growing: Growing, matter: Materials, E_layer: float, E: float
) -> tuple[float, ...]:  # fmt: skip
    """Moduli of the layer [Pa] at the ends of the ratios that the ranges make."""
    if growing.has_other_loads:
        raise CaseError(
            "samples scale the stress of the layer alone, and other loads act on the body",
            key="interphase.grown.samples", value=growing.block.samples,
            hint="Leave the other loads away, or samples = 0",
        )  # fmt: skip
    names = (growing.block.group, growing.electrolyte)
    if not all(matter.elastic[n].E.is_constant and matter.elastic[n].cubic is None for n in names):
        raise CaseError("samples need constant, isotropic moduli",
                        key="interphase.grown.samples")  # fmt: skip
    low, high = _ratio_ends(growing.ranges(matter), E_layer, E)
    return tuple(E * r for r in (low, high) if not math.isclose(r, E_layer / E, rel_tol=1e-6))


def _ratio_ends(ranges: dict[str, Range], E_layer: float, E: float) -> tuple[float, float]:
    layer = ranges.get("layer_modulus")
    body = ranges.get("electrolyte_modulus")
    a, b = (layer.low, layer.high) if layer else (E_layer, E_layer)
    c, d = (body.low, body.high) if body else (E, E)
    return min(a / d, E_layer / E), max(b / c, E_layer / E)


def find_onsets(
    growing: Growing,
    response: Response,
    limits: dict[str, float],
    setup: InterphaseSetup,
    *,
    ratio: float | None = None,
    modulus: float | None = None,
    strain: float | None = None,
    flaw: float | None = None,
    timed: bool = True,
) -> tuple[Onset, ...]:
    """First cracking by place, stress and criterion, with these limits, moduli and strain.

    Args:
        growing: The layer.
        response: Stresses over depth.
        limits: Strength [Pa], toughness [Pa m^0.5].
        setup: Law and volume change: from depth to thickness and time.
        ratio: E of the layer over that of the electrolyte, by default the case's.
        modulus: E of the electrolyte [Pa], likewise.
        strain: Retained growth strain in the plane, likewise.
        flaw: Depth of flaws along the lines [m], likewise.
        timed: Whether the times are wanted; else they are NaN.
    """
    at = {
        "ratio": float(response.ratios[response.nominal]) if ratio is None else ratio,
        "modulus": response.electrolyte_modulus if modulus is None else modulus,
        "strain": response.strain if strain is None else strain,
    }
    block, series = growing.block, response.main
    if flaw is None and block.flaw:
        flaw = units.quantity(block.flaw, "length")
    start = math.nan if growing.has_other_loads else 0.0
    now, out = conditions(growing), list[Onset]()

    def add(criterion: str, where: str, name: str, curves: NDArray, places: Any) -> None:
        inside = places is None and series.in_layer(where)
        level = limits["layer_toughness" if inside else criterion]
        depth, k = first_along(series.depths, curves, level, start=start)
        thickness = depth * (1.0 + setup.expansion.volume_change)
        time = time_of(setup.law, setup.initial, thickness, now) if timed else math.nan
        place = () if places is None else tuple(float(x) for x in places[k])
        kind = "strength" if criterion == "strength" else "energy"
        out.append(
            Onset(kind, where, name, thickness, time, level, float(np.nanmax(curves)), place)
        )

    for line in series.lines:
        for name in series.components:
            stress = response.curve(line.name, name, **at)
            if "strength" in limits:
                add("strength", line.name, name, stress, line.places)
            if "toughness" in limits and flaw is not None:
                K = flaw_intensity(stress, flaw, block.flaw_factor)
                add("toughness", line.name, name, K, line.places)
    for front in series.fronts:
        K = response.curve(front, "K_I", **at)
        needed = "layer_toughness" if series.in_layer(front) else "toughness"
        if needed in limits and np.isfinite(K).all():
            add("toughness", front, "K_I", K, None)
    return tuple(out)


def strongest(grown: Grown, criterion: str) -> NDArray[np.float64] | None:
    """The largest stress [Pa] or intensity [Pa m^0.5] of all places over depth, (n,).

    None where nothing is held against this limit.
    """
    growing, series = grown.growing, grown.response.main
    stress = [series.curve(line.name, c).max(axis=1) for line in series.lines
              for c in series.components]  # fmt: skip
    if criterion == "strength":
        return np.max(stress, axis=0) if stress else None
    curves = [series.intensity(f) for f in series.fronts if not series.in_layer(f)]
    if growing.block.flaw and stress:
        flaw = units.quantity(growing.block.flaw, "length")
        curves.append(flaw_intensity(np.max(stress, axis=0), flaw, growing.block.flaw_factor))
    return np.max(curves, axis=0) if curves else None


def sample(
    grown: Grown, matter: Materials, path: Path, comm: Any, *, resume: bool, quiet: bool
) -> tuple[Table, dict[str, Range]]:
    """First cracking over the ranges of the inputs, without another solution.

    Thickness and time per criterion; inf where nothing cracks within what was computed.

    Raises:
        CaseError: If nothing has a range, or the volume change of an anisotropic layer has one.
        OutputError: If the file belongs to another sample.
    """
    growing, response = grown.growing, grown.response
    own = growing.ranges(matter)
    of_block = dict(growing.setup.ranges)
    if growing.block.normal is not None and "volume_change" in of_block:
        raise CaseError(
            "the shares of an anisotropic strain change with the volume change, which has a range",
            key="interphase.grown.normal", hint="Give volume_change in the case",
        )  # fmt: skip
    E_layer, E = growing.moduli(matter)
    names = list(dict.fromkeys(o.criterion for o in grown.onsets))
    answers = [f"{name}_{what}" for name in names for what in ("thickness", "time")]
    known, now = electrolyte_set(growing.case, growing.base), conditions(growing)

    def one(**inputs: float) -> dict[str, float]:
        chosen = {k: v for k, v in inputs.items() if k in of_block}
        block = with_values(grown.block, chosen) if chosen else grown.block
        setup = interphase_setup(block, known) if chosen else growing.setup
        retained = inputs.get("retained", growing.block.retained)
        modulus = inputs.get("electrolyte_modulus", E)
        limits = {k: inputs.get(k, v) for k, v in grown.limits.items()}
        found = find_onsets(
            growing, response, limits, setup,
            ratio=inputs.get("layer_modulus", E_layer) / modulus, modulus=modulus,
            strain=retained * setup.expansion.in_plane, flaw=inputs.get("flaw"),
            timed=False,
        )  # fmt: skip
        out = {}
        for name in names:
            first = min((o for o in found if o.criterion == name and o.happens),
                        key=lambda o: o.thickness, default=None)  # fmt: skip
            thickness = first.thickness if first else math.inf
            out[f"{name}_thickness"] = thickness
            out[f"{name}_time"] = (
                time_of(setup.law, setup.initial, thickness, now) if first else math.inf
            )
        return out

    ranges = {**of_block, **own}
    if not resume:
        on_root(comm, lambda: path.unlink(missing_ok=True))
    about = _identity(growing)
    table = run_samples(
        one, ranges, growing.block.samples, path, answers=answers, seed=growing.block.seed,
        about=about, show=not quiet, comm=comm,
    )  # fmt: skip
    return table, ranges


def _identity(growing: Growing) -> str:
    """What kept steps and samples belong to: the case but for what does not change its numbers."""
    return growing.case.model_dump_json(exclude={"title", "output"})
