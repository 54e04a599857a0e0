"""What a person sees at the end of a run: a table, and figures drawn by another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ssbmech.errors import OutputError
from ssbmech.output import closing_interphase, verdict
from ssbmech.output.closing_electro import closing_rows


class Drawn(NamedTuple):
    """What the drawing process did: names of the figures, and what it said if it failed."""

    names: str
    failure: str


def try_draw(results: Path) -> Drawn:
    """Draw the figures; a failure is told and does not raise."""
    try:
        return Drawn(draw(results), "")
    except OutputError as error:
        return Drawn("not drawn", str(error))


def draw(results: Path) -> str:
    """Draw the figures of a results folder in a process that has not loaded DOLFINx.

    VTK and the HDF5 that DOLFINx uses do not live together in one process.

    Returns:
        The names of the figures, for a progress line.

    Raises:
        OutputError: With what the drawing process said.
    """
    command = [sys.executable, "-m", "ssbmech.output.figures", str(results)]
    hint = "Run with --no-figures, and `ssbmech post DIR` later"
    said = run_aside(command, "the figures", key="output.figures", hint=hint)
    return ", ".join(said.split()) or "none"


def run_aside(command: list[str], what: str, *, key: str, hint: str) -> str:
    """Run a process that draws, outside this one's MPI job.

    Args:
        command: Program and arguments.
        what: What it draws, for the message.
        key: Of the error.
        hint: What to do without it.

    Returns:
        What it printed.

    Raises:
        OutputError: With the last line that it said, or the signal that ended it.
    """
    done = subprocess.run(command, capture_output=True, text=True, env=_environment())
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = said[-1] if said else "no message"
        if done.returncode < 0:  # a missing graphics library ends a process without a word
            reason += f" (signal {-done.returncode})"
            hint += "; off-screen rendering needs libegl1 and libgl1 (or libosmesa6)"
        raise OutputError(
            f"could not draw {what}: {reason.removeprefix('ssbmech: ')}", key=key, hint=hint
        )
    return done.stdout


def _environment() -> dict[str, str]:
    """Without the variables by which mpirun would draw the child into the parent's job."""
    import os

    prefixes = ("OMPI_", "PMIX_", "PRTE_", "PMI_", "HYDRA_", "MPIEXEC_")
    return {k: v for k, v in os.environ.items() if not k.startswith(prefixes)}


def closing_lines(summary: dict[str, Any]) -> list[str]:
    """The closing table as lines of text."""
    rows: list[tuple[str, str]] = []
    quantities = summary["quantities"]
    for name, q in quantities.items():
        if name in ("K_II", "K_III") and not any(q.get("along_front", [q["value"]])):
            continue  # zero by symmetry
        text = f"{q['value']:.5g} {q['unit']}"
        along = q.get("along_front")
        if along:
            text += f"   along the front {min(along):.5g} to {max(along):.5g}"
        rows.append((name, text))
    for front in summary["fronts"]:
        rows.append((f"ring spread, {front['name']}", f"{front['ring_spread']:.1e}"))
        if front["J_K_difference"] is not None:
            rows.append((f"J against K, {front['name']}", f"{front['J_K_difference']:.1e}"))
    for check in summary["extension"]:
        rows.append(
            (
                f"G by extension, {check['front']}",
                f"{check['G']['value']:.5g} J/m^2, {check['difference']:+.1e} of J",
            )
        )
    for peak in summary["peaks"]:
        value, error = peak["max_principal"], peak["error_estimate"]
        where = ", ".join(f"{c:.4g}" for c in peak["point_um"])
        rows.append(
            (
                f"peak, {peak['surface']} in {peak['side']}",
                f"{value['value']:.5g} +- {error['value']:.1g} {value['unit']} at ({where}) um",
            )
        )
    for group, q in summary["mean_pressures"].items():
        rows.append((f"mean pressure in {group}", f"{q['value']:.5g} {q['unit']}"))
    rows += closing_rows(summary.get("electric"))
    rows += verdict.closing_rows(summary.get("transient"))
    rows += closing_interphase.closing_rows(summary.get("interphase"))
    if summary["porz"] is None:
        rows += [("note", note) for front in summary["fronts"] for note in front["notes"]]
    rows += _porz_rows(summary["porz"])
    for name in summary["record"]["unverified_values"]:
        rows.append(("unverified value", name))
    failed = [g for g in summary["gates"] if not g["passed"]]
    rows.append(("gates", f"{len(summary['gates']) - len(failed)} of {len(summary['gates'])} pass"))
    for g in failed:
        rows.append(("REFUSED", f"{g['name']}: {g['what']} {g['value']:.4g}, limit {g['limit']}"))
    for ring in summary["rings"]:
        if not ring["accepted"]:
            rows.append(("refused ring", f"{ring['outer_um']:.4g} um: {ring['refused']}"))
    record = summary["record"]
    rows.append(("time", f"{sum(record['seconds'].values()):.1f} s on {record['ranks']} rank(s)"))
    rows.append(("peak memory", f"{record['peak_memory_MiB']:.0f} MiB"))
    width = max(len(name) for name, _ in rows)
    return [f"  {name:<{width}}  {text}" for name, text in rows]


def _porz_rows(porz: dict[str, Any] | None) -> list[tuple[str, str]]:
    if porz is None:
        return []
    p, eta = porz["applied_pressure"]["value"], porz["applied_overpotential"]["value"]
    rows = [("applied", f"{p:.4g} MPa, {eta:.4g} mV")]
    p_c, eta_c = porz["critical_pressure"]["value"], porz["critical_overpotential"]["value"]
    if p_c is None:
        rows.append(("critical", "no pressure extends the flaw"))
    else:
        band = porz["critical_overpotential_band"]
        text = f"{p_c:.4g} MPa, {eta_c:.4g} mV"
        if band["low"] != band["high"]:
            text += f" ({band['low']:.4g} to {band['high']:.4g} mV over the range of K_IC)"
        rows.append(("critical", text))
    margin = "unlimited" if porz["margin"] is None else f"margin {porz['margin']:.3g}"
    rows.append(("Porz verdict", f"the flaw {porz['verdict']} ({margin})"))
    rows += [("note", note) for note in porz["notes"]]
    return rows


def print_closing(summary: dict[str, Any], target: Path, *, quiet: bool) -> None:
    """Print the closing table."""
    if quiet:
        return
    print(summary["title"] or "result")
    print("\n".join(closing_lines(summary)))
    print(f"  results in {target}")
