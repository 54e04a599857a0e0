"""Current density along an electrode: at the mesh's own points, largest, smallest, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssbmech import compat
from ssbmech.domain import cell_facets, facet_cells, reference_corners
from ssbmech.electro import conductivity
from ssbmech.electro.problem import Electrode
from ssbmech.electro.solve import ElectricSolution
from ssbmech.errors import SolverError
from ssbmech.physics import kinetics


@dataclass(frozen=True)
class Samples:
    """Current density at points of an electrode, the same on every rank.

    Attributes:
        points: [m], shape (n, 3).
        density: Anodic positive [A/m^2], shape (n,).
    """

    points: NDArray[np.float64]
    density: NDArray[np.float64]


@dataclass(frozen=True)
class Extreme:
    """Largest or smallest local current density of an electrode.

    Attributes:
        density: Anodic positive [A/m^2].
        factor: Over the mean of the electrode.
        error: Estimate of the factor's error: difference to one polynomial degree less, or None.
        point: Where [m], shape (3,).
    """

    density: float
    factor: float
    error: float | None
    point: NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """How uneven the current is on an electrode.

    Attributes:
        electrode: Its name.
        largest: Where most current flows in the direction of the mean, or None if refused.
        smallest: Where least does.
        refused: Why there is no largest value, or "".
        distance: From sharp edges within which nothing was looked at [m], or None.
    """

    electrode: str
    largest: Extreme | None
    smallest: Extreme | None
    refused: str = ""
    distance: float | None = None


def lattice(dim: int, n: int, *, inside: bool = False) -> NDArray[np.float64]:
    """Barycentric points of a facet, with its vertices, or ``inside`` it.

    Args:
        dim: Dimension of the cells.
        n: Intervals per side (rows of points, if inside).
        inside: Without those on the facet's rim.
    """
    if dim == 2:
        t = (np.arange(n) + 0.5) / n if inside else np.linspace(0, 1, n + 1)
        return np.stack([1 - t, t], -1)
    m = n + 2 if inside else n
    rows = [(i, j, m - i - j) for i in range(m + 1) for j in range(m + 1 - i)]
    kept = [row for row in rows if min(row) > 0] if inside else rows
    return np.array(kept, dtype=float) / m


def sample(
    solution: ElectricSolution, electrode: Electrode, barycentric: NDArray[np.float64]
) -> Samples:
    """Current density at the same points of every facet of an electrode (collective).

    With kinetics it is the rate at the potential there; without it kappa times the gradient.

    Args:
        solution: The solution.
        electrode: One of the problem's electrodes.
        barycentric: Points of a facet, shape (q, dim).
    """
    p = solution.problem
    domain, dim = p.domain, p.domain.tdim
    mesh = domain.mesh
    facets = np.unique(np.concatenate([domain.facets(g) for g in electrode.groups]))
    owned = mesh.topology.index_map(dim).size_local
    cells, local, _ = facet_cells(mesh, facets.astype(np.int32))
    keep = cells < owned
    x, value, slope = _fields(solution, cells[keep], local[keep], barycentric)
    density = _density(solution, electrode, x, value, slope)
    fields = solution.system.terminal(electrode.name).fields
    if fields is not None and electrode.kinetics != "none":
        shift, activity = (
            _between(f, dim, cells[keep], local[keep], barycentric)
            for f in (fields.shift, fields.activity)
        )
        density = activity * _density(solution, electrode, x, value + shift, slope)
    flat = [x.reshape(-1, 3), density.reshape(-1)]
    gathered = domain.comm.allgather(flat)
    points = np.concatenate([g[0] for g in gathered]) * domain.length
    values = np.concatenate([g[1] for g in gathered])
    order = np.lexsort(points.T)  # the same order on any number of ranks
    return Samples(points[order], values[order])


def _density(
    solution: ElectricSolution,
    electrode: Electrode,
    x: NDArray[np.float64],
    value: NDArray[np.float64],
    slope: NDArray[np.float64],
) -> NDArray[np.float64]:
    p = solution.problem
    if electrode.kinetics == "none":
        return slope * p.current_scale
    shift = np.zeros_like(value)
    if electrode.normal_stress is not None:
        stress = electrode.normal_stress.value(x * p.domain.length)
        shift = kinetics.stress_shift(stress, p.molar_volume) / p.voltage
    metal = solution.potentials[electrode.name] / p.voltage
    eta = kinetics.driving_potential(metal, value, shift)
    layer = solution.system.layer(electrode.name)
    if electrode.kinetics == "linear":
        return np.asarray(kinetics.linear(eta * p.voltage, 1 / (electrode.resistance + layer)))
    return kinetics.rate_and_slope(eta, electrode.i0, electrode.beta, layer / p.voltage)[0]


def _between(
    function: Any,
    dim: int,
    cells: NDArray[np.int32],
    local: NDArray[np.int64],
    barycentric: NDArray[np.float64],
) -> NDArray[np.float64]:
    """A linear function at points of facets, shape (n facets, q)."""
    corners = function.x.array[function.function_space.dofmap.list[cells]]
    on = corners[np.arange(len(cells))[:, None], cell_facets(dim)[local]]
    return np.asarray(on @ barycentric.T)


def _fields(
    solution: ElectricSolution,
    cells: NDArray[np.int32],
    local: NDArray[np.int64],
    barycentric: NDArray[np.float64],
) -> tuple[NDArray, NDArray, NDArray]:
    """Points, potential and kappa times its outward derivative, each (n facets, q, ...)."""
    import basix

    p = solution.problem
    mesh, dim = p.domain.mesh, p.domain.tdim
    order = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
    kind = {2: basix.CellType.triangle, 3: basix.CellType.tetrahedron}[dim]

    def element(degree: int) -> Any:
        family, variant = basix.ElementFamily.P, basix.LagrangeVariant.gll_warped
        return basix.create_element(family, kind, degree, variant)

    coordinate, potential = element(order), element(p.degree)
    n, q = len(cells), len(barycentric)
    x, value, slope = np.zeros((n, q, 3)), np.zeros((n, q)), np.zeros((n, q))
    phi, dofs = solution.phi.x.array, solution.phi.function_space.dofmap.list
    kappa = solution.system.kappa
    for facet in range(dim + 1):
        mine = local == facet
        corners = reference_corners(dim)[cell_facets(dim)[facet]]
        at = barycentric @ corners
        geometry, shape = (e.tabulate(1, at)[..., 0] for e in (coordinate, potential))
        nodes = mesh.geometry.x[compat.geometry_dofmap(mesh)[cells[mine]]]
        x[mine] = np.einsum("qa,naj->nqj", geometry[0], nodes)
        jacobian = np.einsum("kqa,naj->nqjk", geometry[1:], nodes[..., :dim])
        values = phi[dofs[cells[mine]]]
        value[mine] = values @ shape[0].T
        reference = np.einsum("kqb,nb->nqk", shape[1:], values)
        inverse = np.linalg.inv(jacobian)
        gradient = np.einsum("nqk,nqkj->nqj", reference, inverse)
        # the barycentric coordinate of the opposite vertex falls along the outward normal
        inward = np.vstack([-np.ones(dim), np.eye(dim)])[facet]
        normal = -np.einsum("k,nqkj->nqj", inward, inverse)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        K = conductivity.of_cells(kappa, cells[mine], dim)
        slope[mine] = np.einsum("nqj,njk,nqk->nq", gradient, K, normal)
    return x, value, slope


def spread(
    solution: ElectricSolution,
    electrode: Electrode,
    *,
    finer: ElectricSolution | None = None,
    sharp: NDArray[np.float64] | None = None,
    distance: float | None = None,
) -> Spread:
    """Largest and smallest local current density over the mean (collective).

    Args:
        solution: The solution.
        electrode: One of the problem's electrodes.
        finer: The same problem one polynomial degree higher; values are then taken from it, and the
            difference is the estimate of the error.
        sharp: Points of sharp edges [m], shape (n, 3), see `edges.singular_points`; only a surface
            without kinetics is refused for them.
        distance: Leave out what is nearer than this to a sharp edge [m], and refuse nothing.
    """
    best = solution if finer is None else finer
    mean = best.mean_current_density(electrode.name)
    floor = 1e-12 * best.problem.current_scale
    if abs(mean) <= floor:
        return Spread(electrode.name, None, None, "no current flows")
    singular = electrode.kinetics == "none" and sharp is not None and len(sharp) > 0
    kept = distance if singular else None
    high, low = _extremes(best, electrode, mean, sharp if kept else None, kept)
    if finer is not None:
        coarse_mean = solution.mean_current_density(electrode.name)
        pair = _extremes(solution, electrode, coarse_mean, sharp if kept else None, kept)
        high, low = (
            Extreme(e.density, e.factor, abs(e.factor - c.factor), e.point)
            for e, c in zip((high, low), pair, strict=True)
        )
    if singular and kept is None:
        assert sharp is not None
        where = ", ".join(f"{round(c * 1e6, 6) + 0.0:.4g}" for c in sharp[0])
        return Spread(
            electrode.name, None, low,
            f"no finite maximum without a resistance: the surface has a sharp edge at ({where}) um",
        )  # fmt: skip
    return Spread(electrode.name, high, low, "", kept)


def _extremes(
    solution: ElectricSolution,
    electrode: Electrode,
    mean: float,
    sharp: NDArray[np.float64] | None,
    distance: float | None,
) -> tuple[Extreme, Extreme]:
    found = sample(solution, electrode, lattice(solution.problem.domain.tdim, 4))
    points, density = found.points, found.density
    if sharp is not None and distance is not None:
        from scipy.spatial import cKDTree

        far = cKDTree(sharp).query(points)[0] >= distance
        if not far.any():
            raise SolverError(
                f"no point of the electrode {electrode.name!r} is that far from its sharp edges",
                key=f"{electrode.key}.peak_distance", value=f"{distance * 1e6:g} um",
                hint="Give a smaller distance",
            )  # fmt: skip
        points, density = points[far], density[far]
    factor = density / mean
    return (
        _extreme(points, density, factor, int(np.argmax(factor))),
        _extreme(points, density, factor, int(np.argmin(factor))),
    )


def _extreme(points: NDArray, density: NDArray, factor: NDArray, k: int) -> Extreme:
    return Extreme(float(density[k]), float(factor[k]), None, points[k])
