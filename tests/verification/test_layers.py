"""Layers of finite thickness along grain boundaries: exact measures, patch test, a laminate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from ssbmech.meshes.data import MeshData
from ssbmech.meshes.elements import orient, signed_measure
from ssbmech.meshes.gate import inspect, refuse
from ssbmech.meshes.session import collect, session
from ssbmech.meshes.thicken import thicken_facets, thicken_grain_boundaries

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


def lithium_sides(
    cells: Voronoi, interface: list[int], height: float
) -> list[tuple[int, list[int | tuple[float, ...]]]]:
    """Sides of a box under y = 0: number of the side, loop of vertices and of new corners."""
    x, dim = cells.vertices, cells.seeds.shape[1]
    rim = sorted({v for k in interface for v in cells.faces[k]})
    found: list[tuple[int, list[int | tuple[float, ...]]]] = []
    if dim == 2:
        ends = [next(v for v in rim if x[v, 0] == end) for end in (0.0, 1.0)]
        corners = [(0.0, -height), (1.0, -height)]
        found += [(axis, [ends[axis], corners[axis]]) for axis in (0, 1)]
        return [*found, (2, list(corners))]
    for axis in (0, 2):
        for end in (0, 1):
            loop = sorted((v for v in rim if x[v, axis] == end), key=lambda v: x[v, 2 - axis])
            ends = [loop[-1], loop[0]]
            found.append((2 * axis + end, [*loop, *((x[v, 0], -height, x[v, 2]) for v in ends)]))
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    return [*found, (2, [(a, -height, b) for a, b in square])]


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
        added: dict[tuple[float, ...], int] = {}

        def add(x: tuple[float, ...]) -> int:
            if x not in added:
                points.append(geo.addPoint(*x, *([0.0] * (3 - dim))))
                added[x] = len(points) - 1
            return added[x]

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
            below = [walls[k] for k in interface]
            for side, loop in lithium_sides(cells, interface, lithium):
                corners = [v if isinstance(v, int) else add(v) for v in loop]
                sides.append(side)
                walls.append(wall(corners))
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


# -- measures --------------------------------------------------------------------------------------


def start(page, part: str):
    return page(
        "layers",
        "Layers of finite thickness along grain boundaries",
        problem="Voronoi grains in a unit square and cube, with lithium bonded below or without",
        reference="grains by intersection of half-planes and half-spaces; constant strain; series "
        "of materials in uniaxial strain",
        part=part,
    )


@pytest.mark.parametrize("lithium", [0.0, 0.3])
@pytest.mark.parametrize(("dim", "n", "size"), [(2, 20, 0.06), (3, 10, 0.16)])
def test_grains_are_the_exact_polytopes(page, dim, n, size, lithium):
    """Each grain keeps what lies t/2 inside its half-spaces; the layer gets all the rest."""
    check = start(page, f"measures in {dim}-D, {'with' if lithium else 'without'} lithium")
    # The shortest edge of some ten random cells in 3-D allows no more.
    thickness, seeds = 1e-3 if dim == 2 else 1e-4, range(4)
    grains, exact, layers, whole, lithiums = [], [], [], [], []
    for seed in seeds:
        cells = voronoi(n, dim, seed)
        data = thicken_grain_boundaries(mesh_of(cells, size, lithium), thickness)
        refuse(inspect(data))
        part = shrunken(cells, thickness)
        exact.extend(part)
        grains.extend(measure(data, data.grains == g + 1) for g in range(n))
        tag = data.cell_groups["grain_boundary"]
        layers.append(measure(data, data.cell_tags == tag) / (1 - part.sum()))
        whole.append(measure(data, slice(None)))
        if lithium:
            lithiums.append(measure(data, data.cell_tags == data.cell_groups["lithium"]))
    unit = "um^2" if dim == 2 else "um^3"
    why = "flat boundaries: rounding only"
    check.within(f"{len(exact)} grains", grains, exact, 1e-12, unit=unit, why=why)
    check.within("layer / (1 - grains)", layers, 1.0, 1e-10, why="a difference of numbers near 1")
    check.within("whole body", whole, 1 + lithium, 1e-13, unit=unit, why="watertight")
    if lithium:
        check.within("lithium", lithiums, lithium, 1e-12, unit=unit, why="filled where it opens")


# -- solutions -------------------------------------------------------------------------------------

MICRO = 1e-6


def solve(data: MeshData, moduli: dict[str, tuple[float, float]], walls: dict[str, list[str]]):
    """Elastic solution of degree 1 with prescribed displacement components on the sides."""
    from mpi4py import MPI
    from ssbmech.domain import distribute
    from ssbmech.formula import Formula
    from ssbmech.problem import Constraint, Material, Problem
    from ssbmech.solve import ElasticSystem

    domain = distribute(MPI.COMM_WORLD, data, length=MICRO)
    problem = Problem(
        domain,
        "plane_strain" if data.dim == 2 else "3d",
        {name: Material(Formula.constant(E, "pressure"), nu) for name, (E, nu) in moduli.items()},
        constraints=tuple(
            Constraint(
                side,
                {i: Formula.parse(f, "length") for i, f in enumerate(values) if f},
            )
            for side, values in walls.items()
        ),
        degree=1,
        linear="direct",
    )
    return ElasticSystem(problem).solve()


def strains(solution) -> np.ndarray:
    """Displacement gradient of each cell, shape (n_cells, dim, dim)."""
    import ufl
    from dolfinx import fem

    mesh = solution.problem.domain.mesh
    d = mesh.geometry.dim
    V = fem.functionspace(mesh, ("Discontinuous Lagrange", 0, (d, d)))
    found = fem.Function(V)
    found.interpolate(fem.Expression(ufl.grad(solution.u), V.element.interpolation_points()))
    return found.x.array.reshape(-1, d, d)


@pytest.mark.parametrize("thickness", [1e-4, 1e-2])
@pytest.mark.parametrize(("dim", "n", "size"), [(2, 12, 0.08), (3, 6, 0.25)])
def test_patch(page, dim, n, size, thickness):
    """A linear displacement on the sides gives a constant strain everywhere, layer included."""
    seed = 2 if dim == 2 else 1
    data = thicken_grain_boundaries(mesh_of(voronoi(n, dim, seed), size, 0.3), thickness)
    G = np.array([[1.0, 0.4, -0.3], [0.2, -0.7, 0.5], [-0.6, 0.1, 0.8]])[:dim, :dim] * 1e-3
    values = [" + ".join(f"{g} * {c}" for g, c in zip(row, "xyz", strict=False)) for row in G]
    sides = [f"{'xyz'[a]}_{end}" for a in range(dim) for end in (0, 1)]
    materials = dict.fromkeys(data.cell_groups, (150e9, 0.25))
    found = strains(solve(data, materials, dict.fromkeys(sides, values)))
    check = start(page, f"patch test in {dim}-D, layer of {thickness:g} um")
    check.within(
        "displacement gradient of every cell", found.ravel(), np.tile(G.ravel(), len(found)),
        1e-10, why="rounding, times the ratio of body to layer",
    )  # fmt: skip


def planes(dim: int, n: int, at: list[float], lithium_to: float = 0.0) -> MeshData:
    """Unit square or cube of n cells a side with sheets at x = const and lithium up to another."""
    names = [f"{'xyz'[a]}_{end}" for a in range(dim) for end in (0, 1)]
    with session("planes", Mesh_MeshSizeMax=1 / n, Mesh_MeshSizeMin=1 / n) as gmsh:
        occ = gmsh.model.occ
        cuts = sorted({0.0, 1.0, lithium_to, *at})
        box = occ.addBox if dim == 3 else occ.addRectangle
        sizes = (1, 1) if dim == 3 else (1,)
        occ.fragment([(dim, box(a, 0, 0, b - a, *sizes)) for a, b in pairwise(cuts)], [])
        occ.synchronize()

        def inside(d: int, low: list[float], high: list[float]) -> list[int]:
            gap = 1e-6
            rows = gmsh.model.getEntitiesInBoundingBox(
                *(x - gap for x in low), *(x + gap for x in high), d
            )
            return [tag for _, tag in rows]

        top = [1.0, 1.0, 1.0 if dim == 3 else 0.0]
        soft = inside(dim, [0, 0, 0], [lithium_to, *top[1:]]) if lithium_to else []
        rest = [tag for _, tag in gmsh.model.getEntities(dim) if tag not in soft]
        gmsh.model.addPhysicalGroup(dim, rest, name="electrolyte")
        if soft:
            gmsh.model.addPhysicalGroup(dim, soft, name="lithium")
        for name in names:
            axis, end = "xyz".index(name[0]), float(name[2])
            low, high = [0.0, 0.0, 0.0], list(top)
            low[axis] = high[axis] = end
            gmsh.model.addPhysicalGroup(dim - 1, inside(dim - 1, low, high), name=name)
        for name, places in (("grain_boundaries", at), ("li_sse", [lithium_to] * bool(lithium_to))):
            tags = [t for x in places for t in inside(dim - 1, [x, 0, 0], [x, *top[1:]])]
            if tags:
                gmsh.model.addPhysicalGroup(dim - 1, tags, name=name)
        gmsh.model.mesh.generate(dim)
        return collect(gmsh, dim, 1)


@pytest.mark.parametrize("dim", [2, 3])
def test_soft_layers_in_series(page, dim):
    """Uniaxial strain across flat layers: 1/M = sum of the shares over the M of each material."""
    at, t, skin = [0.4, 0.55, 0.8], 0.02, 0.03
    data = planes(dim, 6, at, lithium_to=0.25)
    data = thicken_grain_boundaries(data, t)
    data = thicken_facets(data, "li_sse", skin, "interphase", side="electrolyte")
    refuse(inspect(data))
    moduli = {
        "electrolyte": (150e9, 0.25), "lithium": (7.8e9, 0.38), "grain_boundary": (15e9, 0.3),
        "interphase": (40e9, 0.2),
    }  # fmt: skip
    shares = {"lithium": 0.25, "grain_boundary": 3 * t, "interphase": skin}
    shares["electrolyte"] = 1 - sum(shares.values())
    uniaxial = {m: E * (1 - nu) / (1 + nu) / (1 - 2 * nu) for m, (E, nu) in moduli.items()}
    exact = 1 / sum(share / uniaxial[m] for m, share in shares.items())
    strain = 1e-3
    walls = {f"{'xyz'[a]}_{end}": ["", "", ""] for a in range(dim) for end in (0, 1)}
    for name, values in walls.items():
        values["xyz".index(name[0])] = f"{strain} * x" if name[0] == "x" else "0 um"
    solution = solve(data, moduli, walls)
    found = 2 * solution.strain_energy / strain**2 / MICRO**dim
    check = start(page, f"soft layers in series in {dim}-D")
    check.within("modulus in uniaxial strain", found / 1e9, exact / 1e9, 1e-10, unit="GPa",
                 why="the strain is constant in each material: rounding only")  # fmt: skip
    stiff = uniaxial["electrolyte"] / 1e9
    check.note(f"The electrolyte alone has {stiff:.1f} GPa; {shares} are the shares.")
