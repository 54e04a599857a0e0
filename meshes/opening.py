"""Cracks that are facets of a finished mesh: opened, with their fronts named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ssbmech.errors import MeshError
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import quarter_point
from ssbmech.meshes.flaw import Flaw
from ssbmech.meshes.scene_rims import on_side, rim, untag_closed
from ssbmech.meshes.split import split_crack


def open_cracks(data: MeshData, flaws: Sequence[Flaw]) -> MeshData:
    """Split the cracks that are interior facets of the mesh, and name their fronts.

    Args:
        data: Mesh of a scene with the sheets of the flaws.
        flaws: The cracks; each is opened in turn.

    Returns:
        The mesh with ``crack_lower``, ``crack_upper`` (and ``..._filled``), fronts ``tip`` (two
        tips: ``tip_1``, ``tip_2``) or ``front``, and ``lines["mouth"]`` where a crack starts at a
        material that stays whole. A crack on a plane of symmetry gets ``crack_upper`` alone.
        Second-order 2-D meshes get quarter points at the tips.

    Raises:
        MeshError: If a crack has no facet or no front inside the body.
    """
    for flaw in flaws:
        groups = [g for g in (flaw.dry, flaw.wet) if g in data.facet_groups]
        if not groups:
            raise MeshError("the crack lies outside the body", key=f"crack{flaw.suffix}",
                            value=flaw.path.round(6).tolist())  # fmt: skip
        half = on_side(data, groups)
        data = data if half else untag_closed(data, groups)
        front, mouth = rim(data, groups)
        if not len(front):
            raise MeshError("the crack cuts the body in two and has no tip inside",
                            key=f"crack{flaw.suffix}", value=flaw.path.round(6).tolist(),
                            hint="Shorten it")  # fmt: skip
        names = {g: g.replace(f"crack{flaw.suffix}", "crack_{}" + flaw.suffix) for g in groups}
        upper = [names[g].format("upper") for g in groups]
        if half:
            data = _renamed(data, dict(zip(groups, upper, strict=True)))
        else:
            lower = [names[g].format("lower") for g in groups]
            data = split_crack(data, groups, None, lower=lower, upper=upper, normal=flaw.axes[2])
        fronts = _front_names(data, front, flaw.suffix)
        lines = {} if not len(mouth) else {f"mouth{flaw.suffix}": mouth}
        # a geometry factor needs one size: cracks of several sizes have none in common
        alike = len({other.size for other in flaws}) == 1
        notes: dict[str, float | str] = {"crack_size": flaw.size} if alike else {}
        data = replace(
            data, fronts=data.fronts | fronts, lines=data.lines | lines, notes=data.notes | notes
        )
    # Quarter points in 3-D would bend cells that touch the front with one edge too far.
    if data.order == 2 and flaws and data.dim == 2:
        tips = np.unique(np.concatenate([f.ravel() for f in data.fronts.values()]))
        data = replace(data, points=quarter_point(data.points, data.cells, tips, data.dim))
    return data


def _renamed(data: MeshData, names: dict[str, str]) -> MeshData:
    """Facet groups under new names; a face on a symmetry plane has the body on one side only."""
    groups = {names.get(name, name): tag for name, tag in data.facet_groups.items()}
    return replace(data, facet_groups=groups)


def _front_names(data: MeshData, front: Any, suffix: str) -> dict[str, Any]:
    if data.dim == 3:
        return {f"front{suffix}": front}
    if len(front) == 1:
        return {f"tip{suffix}": front}
    place_ = data.points[front[:, 0]]
    ranked = np.lexsort((place_[:, 0], place_[:, 1]))
    return {f"tip{suffix}_{k}": front[[i]] for k, i in enumerate(ranked, start=1)}
