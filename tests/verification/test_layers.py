"""Layers of finite thickness along grain boundaries: exact measures, patch test, a laminate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import orient, signed_measure
from ssbmech.meshes.session import collect, session

pytestmark = pytest.mark.verification


@dataclass
class Voronoi:
    """Voronoi cells of seeds in a unit square or cube, with the planes that bound each."""

    vertices: np.ndarray
    faces: list[list[int]]
    neighbours: list[tuple[int, int]]  # the second -1 - s on side s of the box
    seeds: np.ndarray


def voronoi(n: int, dim: int, seed: int) -> Voronoi:
    """Cells of n random seeds kept apart; the box comes from mirroring the seeds."""
    from scipy.spatial import Voronoi as Diagram

    rng = np.random.default_rng(seed)
    seeds = np.zeros((0, dim))
    apart = 0.7 * n ** (-1 / dim)
    while len(seeds) < n:
        x = rng.random(dim)
        if not len(seeds) or np.linalg.norm(seeds - x, axis=1).min() > apart:
            seeds = np.vstack([seeds, x])
    every = [seeds]
    for axis in range(dim):
        for wall in (0.0, 1.0):
            image = seeds.copy()
            image[:, axis] = 2 * wall - image[:, axis]
            every.append(image)
    diagram = Diagram(np.concatenate(every))
    x = diagram.vertices.copy()
    for wall in (0.0, 1.0):
        x[np.abs(x - wall) < 1e-12] = wall
    faces, neighbours = [], []
    for pair, loop in zip(diagram.ridge_points, diagram.ridge_vertices, strict=True):
        a, b = sorted(int(p) for p in pair)
        if a >= n or -1 in loop:
            continue
        if b >= n:
            if (b - n) % n != a:
                continue
            b = -1 - (b - n) // n
        faces.append([int(v) for v in loop])
        neighbours.append((a, b))
    used = np.unique(np.concatenate(faces))
    number = {int(v): k for k, v in enumerate(used)}
    return Voronoi(x[used], [[number[v] for v in f] for f in faces], neighbours, seeds)


def mesh_of(cells: Voronoi, size: float, lithium: float = 0.0) -> MeshData:
    """Conforming first-order mesh, all grains in the group electrolyte, sides by axis and end.

    Args:
        cells: Grains.
        size: Of the elements.
        lithium: Height of a body of lithium below y = 0; its sides are those of the box too.
    """
    dim, n = cells.seeds.shape[1], len(cells.seeds)
    with session("voronoi", Mesh_MeshSizeMax=size, Mesh_MeshSizeMin=size) as gmsh:
        geo = gmsh.model.geo
        points = [geo.addPoint(*v, *([0.0] * (3 - dim))) for v in cells.vertices]
        lines: dict[tuple[int, int], int] = {}

        def line(a: int, b: int) -> int:
            key = (min(a, b), max(a, b))
            if key not in lines:
                lines[key] = geo.addLine(points[key[0]], points[key[1]])
            return lines[key]

        def plane(loop: list[int]) -> int:
            edges = [line(a, b) for a, b in zip(loop, loop[1:] + loop[:1], strict=True)]
            return geo.addPlaneSurface([geo.addCurveLoop(edges, reorient=True)])

        wall = (lambda loop: line(*loop)) if dim == 2 else plane
        faces = list(cells.faces)
        sides = [-1 - b if b < 0 else -1 for _, b in cells.neighbours]
        walls = [wall(loop) for loop in faces]

        def body(mine: list[int]) -> int:
            if dim == 2:
                return geo.addPlaneSurface([geo.addCurveLoop(mine, reorient=True)])
            return geo.addVolume([geo.addSurfaceLoop(mine)])

        grains = [
            body([w for w, pair in zip(walls, cells.neighbours, strict=True) if g in pair])
            for g in range(n)
        ]
        groups = [(grains[g], f"grain_{g + 1:03d}") for g in range(n)]
        interface = [k for k, s in enumerate(sides) if s == 2]
        if lithium:
            # The interface's rim with four corners below it (two in 2-D).
            x = cells.vertices
            low = {}
            for v in {v for k in interface for v in faces[k]}:
                on = [a for a in range(dim) if a != 1]
                if all(x[v, a] in (0.0, 1.0) for a in on):
                    points.append(geo.addPoint(x[v, 0], -lithium, x[v, 2] if dim == 3 else 0.0))
                    low[v] = len(points) - 1
            below = [walls[k] for k in interface]
            for axis in range(dim):
                for end in (0, 1):
                    if axis == 1:
                        if end == 0:
                            order = sorted(low, key=lambda v: np.arctan2(*(x[v, [0, -1]] - 0.5)))
                            loop = [low[v] for v in order]
                            sides.append(2)
                        else:
                            continue
                    else:
                        rim = [
                            v for v in {v for k in interface for v in faces[k]} if x[v, axis] == end
                        ]
                        rim.sort(key=lambda v: x[v, 2 - axis] if dim == 3 else 0.0)
                        loop = [low[v] for v in (rim[:1] if dim == 2 else [rim[-1], rim[0]])]
                        loop = rim + loop
                        sides.append(2 * axis + end)
                    walls.append(wall(loop))
                    below.append(walls[-1])
            groups.append((body(below), "lithium"))
            for k in interface:
                sides[k] = -2
        geo.synchronize()
        for tag, name in groups:
            gmsh.model.addPhysicalGroup(dim, [tag], name=name)
        names = [f"{'xyz'[s // 2]}_{s % 2}" for s in range(2 * dim)]
        for s in range(-2, 2 * dim):
            chosen = [w for w, mark in zip(walls, sides, strict=True) if mark == s]
            name = {-1: "grain_boundaries", -2: "li_sse"}.get(s) or names[s]
            if chosen:
                gmsh.model.addPhysicalGroup(dim - 1, chosen, name=name)
        gmsh.model.mesh.generate(dim)
        data = collect(gmsh, dim, 1)
    number = {
        tag: int(name[6:]) if name != "lithium" else 0 for name, tag in data.cell_groups.items()
    }
    grain = np.array([number[t] for t in data.cell_tags.tolist()], dtype=np.int32)
    return MeshData(
        dim, 1, data.points, orient(data.points, data.cells, dim, 1),
        np.where(grain > 0, 1, 2).astype(np.int32), data.facets, data.facet_tags,
        {"electrolyte": 1} | ({"lithium": 2} if lithium else {}), data.facet_groups, grains=grain,
    )  # fmt: skip


def shrunken(cells: Voronoi, thickness: float) -> np.ndarray:
    """Measure of each grain inside the layer, by intersection of its half-spaces moved inward."""
    from scipy.spatial import ConvexHull, HalfspaceIntersection

    dim = cells.seeds.shape[1]
    found = []
    for g, centre in enumerate(cells.seeds):
        rows = []
        for a, b in cells.neighbours:
            if g not in (a, b):
                continue
            if b < 0:
                axis, high = divmod(-1 - b, 2)
                normal = np.eye(dim)[axis] * (1 if high else -1)
                rows.append(np.r_[normal, -float(high)])
                continue
            other = cells.seeds[b if g == a else a]
            normal = (other - centre) / np.linalg.norm(other - centre)
            rows.append(np.r_[normal, -normal @ (centre + other) / 2 + thickness / 2])
        corners = HalfspaceIntersection(np.array(rows), centre).intersections
        found.append(ConvexHull(corners).volume)
    return np.array(found)


def measure(data: MeshData, mask: np.ndarray) -> float:
    return float(signed_measure(data.points, data.cells[mask], data.dim).sum())
