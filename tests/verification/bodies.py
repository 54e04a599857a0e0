"""Small structured bodies for the tests of flowing lithium."""

from __future__ import annotations

import numpy as np
from ssbmech.domain import distribute
from ssbmech.formula import Formula
from ssbmech.meshes.data import MeshData
from ssbmech.problem import Material

LITHIUM = (7.8e9, 0.38)


def material(E=LITHIUM[0], nu=LITHIUM[1]):
    return Material(Formula.constant(E, "pressure"), nu)


def pressure(value):
    return Formula.constant(value, "pressure")


def length(value):
    return Formula.constant(value, "length")


def block(nx, ny, *, place=None, group=None, names=("lithium",), x=None, y=None, inside=None):
    """The unit square in 2 nx ny triangles, put elsewhere by ``place``.

    Args:
        nx: Cells along x; ``x`` gives the places of their sides in 0..1.
        ny: Along y.
        place: Maps coordinates (n, 2) to coordinates in micrometres.
        group: Gives the position in ``names`` for centres (n, 2) in the unit square.
        names: Cell groups.
        inside: Name of the facets between two groups.
    """
    x = np.linspace(0, 1, nx + 1) if x is None else np.asarray(x, float)
    y = np.linspace(0, 1, ny + 1) if y is None else np.asarray(y, float)
    nx, ny = len(x) - 1, len(y) - 1
    X, Y = np.meshgrid(x, y, indexing="ij")
    flat = np.column_stack([X.ravel(), Y.ravel()])
    number = np.arange(flat.shape[0]).reshape(nx + 1, ny + 1)
    a, b = number[:-1, :-1].ravel(), number[1:, :-1].ravel()
    c, d = number[1:, 1:].ravel(), number[:-1, 1:].ravel()
    turn = (np.add.outer(np.arange(nx), np.arange(ny)) % 2 == 0).ravel()
    one = np.where(turn[:, None], np.column_stack([a, b, c]), np.column_stack([a, b, d]))
    two = np.where(turn[:, None], np.column_stack([a, c, d]), np.column_stack([b, c, d]))
    cells = np.vstack([one, two]).astype(np.int64)
    centre = flat[cells].mean(axis=1)
    tags = np.zeros(len(cells), np.int32) if group is None else group(centre).astype(np.int32)
    sides = {
        "bottom": np.column_stack([number[:-1, 0], number[1:, 0]]),
        "right": np.column_stack([number[-1, :-1], number[-1, 1:]]),
        "top": np.column_stack([number[:-1, -1], number[1:, -1]]),
        "left": np.column_stack([number[0, :-1], number[0, 1:]]),
    }
    if inside is not None:
        edges = np.sort(cells[:, [[0, 1], [1, 2], [0, 2]]], axis=2).reshape(-1, 2)
        kinds = np.repeat(tags, 3)
        unique, where = np.unique(edges, axis=0, return_inverse=True)
        low, high = np.full(len(unique), 99), np.full(len(unique), -1)
        np.minimum.at(low, where.reshape(-1), kinds)
        np.maximum.at(high, where.reshape(-1), kinds)
        sides[inside] = unique[low < high]
    points = flat if place is None else place(flat)
    facets = np.vstack(list(sides.values())).astype(np.int64)
    facet_tags = np.repeat(np.arange(1, len(sides) + 1), [len(s) for s in sides.values()])
    return MeshData(
        2, 1, np.column_stack([points, np.zeros(len(points))]), cells, tags + 1, facets,
        facet_tags.astype(np.int32), {n: i + 1 for i, n in enumerate(names)},
        {n: i + 1 for i, n in enumerate(sides)},
    )  # fmt: skip


def curved(data, radius):
    """Second-order cells whose middle nodes lie at the radius ``radius(x, y)`` scales them to."""
    edges = data.cells[:, [[0, 1], [1, 2], [2, 0]]]
    flat = np.sort(edges.reshape(-1, 2), axis=1)
    both = np.vstack([flat, np.sort(data.facets, axis=1)])
    unique, where = np.unique(both, axis=0, return_inverse=True)
    where = where.reshape(-1)
    middle = radius(data.points[unique[:, 0]], data.points[unique[:, 1]])
    n = len(data.points)
    cells = np.hstack([data.cells, n + where[: len(flat)].reshape(-1, 3)])
    facets = np.hstack([data.facets, n + where[len(flat) :, None]])
    return MeshData(
        2, 2, np.vstack([data.points, middle]), cells, data.cell_tags, facets, data.facet_tags,
        data.cell_groups, data.facet_groups,
    )  # fmt: skip


def polar_middle(a, b):
    """Middle of two points at the mean radius and the mean angle."""
    ra, rb = np.hypot(a[:, 0], a[:, 1]), np.hypot(b[:, 0], b[:, 1])
    ta, tb = np.arctan2(a[:, 1], a[:, 0]), np.arctan2(b[:, 1], b[:, 0])
    r, t = (ra + rb) / 2, (ta + tb) / 2
    out = np.column_stack([r * np.cos(t), r * np.sin(t), 0 * r])
    out[np.isclose(ta, 0) & np.isclose(tb, 0), 1] = 0.0
    out[np.isclose(ta, np.pi / 2) & np.isclose(tb, np.pi / 2), 0] = 0.0
    return out


def ring(inner, outer, n_radial, n_angle, *, ratio=1.0, **more):
    """A quarter of a ring (or of a meridian of a shell) [um], second order.

    Sides: ``left`` the inner circle, ``right`` the outer one, ``bottom`` on y = 0 and ``top`` on
    x = 0.
    """
    s = np.linspace(0, 1, n_radial + 1)
    x = (ratio**s - 1) / (ratio - 1) if ratio != 1 else s

    def place(p):
        r, t = inner + (outer - inner) * p[:, 0], p[:, 1] * np.pi / 2
        c, q = np.cos(t), np.sin(t)
        c[np.abs(c) < 1e-15] = 0.0
        return np.column_stack([r * c, r * q])

    return curved(block(n_radial, n_angle, place=place, x=x, **more), polar_middle)


def on(comm, data, length_um=1.0):
    """Distribute a mesh."""
    return distribute(comm, data if comm.rank == 0 else None, length=length_um * 1e-6)


def core_and_ring(inner, outer, h, *, names=("inclusion", "matrix")):
    """A quarter disc [um] in a quarter ring, second order; the cells grow with the radius.

    Facets: ``interface`` between them, ``right`` outside, ``bottom`` on y = 0, ``top`` on x = 0.
    """
    from ssbmech.meshes.session import collect, session

    with session("rings") as gmsh:
        geo, mesh = gmsh.model.geo, gmsh.model.mesh
        o = geo.addPoint(0, 0, 0, h)
        p, q = ([geo.addPoint(*xy, 0, s) for xy in ((r, 0), (0, r))]
                for r, s in ((inner, h), (outer, h * outer / inner)))  # fmt: skip
        arcs = [geo.addCircleArc(a, o, b) for a, b in (p, q)]
        low = [geo.addLine(o, p[0]), geo.addLine(p[0], q[0])]
        up = [geo.addLine(p[1], o), geo.addLine(q[1], p[1])]
        core = geo.addPlaneSurface([geo.addCurveLoop([low[0], arcs[0], up[0]])])
        wall = geo.addPlaneSurface([geo.addCurveLoop([low[1], arcs[1], up[1], -arcs[0]])])
        geo.synchronize()
        gmsh.option.setNumber("Mesh.MeshSizeExtendFromBoundary", 1)
        gmsh.option.setNumber("Mesh.MeshSizeFromPoints", 1)
        for name, surface in zip(names, (core, wall), strict=True):
            gmsh.model.addPhysicalGroup(2, [surface], name=name)
        for name, lines in {
            "interface": [arcs[0]], "right": [arcs[1]], "bottom": low, "top": up
        }.items():  # fmt: skip
            gmsh.model.addPhysicalGroup(1, lines, name=name)
        mesh.generate(2)
        mesh.setOrder(2)
        data = collect(gmsh, 2, 2)
    middle = np.abs(data.points[:, 0]) < 1e-9 * outer
    data.points[middle, 0] = 0.0
    return data
