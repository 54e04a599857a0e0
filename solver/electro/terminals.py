"""Electrodes as the forms see them: the potential of the metal, the rate, prescribed unknowns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.electro.problem import ElectricProblem, Electrode
from ssbmech.electro.surface import SurfaceFields
from ssbmech.errors import CaseError
from ssbmech.physics import kinetics
from ssbmech.physics.elasticity import weight


class Frame:
    """What all forms of a problem share: function spaces, measures, the potential.

    Args:
        problem: The problem.

    Attributes:
        V: Space of the potential.
        linear: Linear functions on the same mesh, for fields of a surface.
        phi: The potential over RT/F.
        v: Its test function.
        w: Weight of integrals (the radius in an axisymmetric body).
    """

    def __init__(self, problem: ElectricProblem) -> None:
        self.problem, mesh = problem, problem.domain.mesh
        self.V = fem.functionspace(mesh, ("Lagrange", problem.degree))
        self.linear = fem.functionspace(mesh, ("Lagrange", 1))
        self.phi = fem.Function(self.V, name="potential")
        self.v, self.x = ufl.TestFunction(self.V), ufl.SpatialCoordinate(mesh)
        self.w = weight(self.x, problem.model)
        order = mesh.ufl_domain().ufl_coordinate_element().embedded_superdegree
        extra = (1 if problem.model == "axisymmetric" else 0) + (0 if order == 1 else 2)
        degree = 2 * (problem.degree - 1) + extra
        self.dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": degree})
        coupled = any(e.coupled for e in problem.electrodes)
        #: Of integrals over surfaces.
        self.quadrature = (
            2 * problem.degree + extra + (0 if problem.is_linear else 4) + (1 if coupled else 0)
        )
        self._ds = ufl.Measure(
            "ds", mesh, subdomain_data=problem.domain.facet_tags,
            metadata={"quadrature_degree": self.quadrature},
        )  # fmt: skip

    def constant(self, value: float) -> Any:
        """A constant of the forms."""
        return fem.Constant(self.problem.domain.mesh, PETSc.ScalarType(value))

    def on(self, electrode: Electrode) -> Any:
        """Measure of the surface of an electrode."""
        domain, key = self.problem.domain, f"{electrode.key}.group"
        return self._ds(tuple(domain.facet_tag(g, key=key) for g in electrode.groups))

    def everywhere(self, value: float) -> float:
        """Sum over all ranks."""
        return float(self.problem.domain.comm.allreduce(value))


@dataclass(frozen=True)
class Terminal:
    """An electrode as the forms see it.

    Attributes:
        electrode: What it is.
        metal: Potential of the metal over RT/F, a constant of the forms.
        rate: Its current density, or None without kinetics.
        dofs: Unknowns (with ghosts) that are prescribed, empty with kinetics.
        shift: V sigma_n/RT at these unknowns.
        area: Of its surface, non-dimensional.
        total: Form of its current, or None without kinetics.
        gradient: Derivative of the current by the unknowns, or None without kinetics.
        fields: What changes between solves, or None for an electrode that is not coupled.
        contact: Form of the area in contact, or None.
        layer: Resistance of its reaction layer, a constant of the forms in units of RT/F over the
            unit of current density; None without a layer.
    """

    electrode: Electrode
    metal: Any
    rate: Any
    dofs: NDArray[np.int32]
    shift: NDArray[np.float64]
    area: float
    total: Any = None
    gradient: Any = None
    fields: SurfaceFields | None = None
    contact: Any = None
    layer: Any = None


def terminal(frame: Frame, electrode: Electrode) -> Terminal:
    """Forms of an electrode (collective)."""
    p, part = frame.problem, frame.on(electrode)
    metal = frame.constant((electrode.potential or 0.0) / p.voltage)
    area = frame.everywhere(fem.assemble_scalar(fem.form(frame.constant(1.0) * frame.w * part)))
    fields = None
    if electrode.coupled:
        fields = SurfaceFields(frame.linear, kinetics.stress_shift(1.0, p.molar_volume) / p.voltage)
    if electrode.kinetics == "none":
        dofs = dofs_of(frame, electrode)
        shift = shift_at(frame, electrode, dofs, fields)
        return Terminal(electrode, metal, None, dofs, shift, area, fields=fields)
    stress = _shift(frame, electrode) + (0 if fields is None else fields.shift)
    eta = kinetics.driving_potential(metal, frame.phi, stress)
    layer = None
    if electrode.layer is not None:
        layer = frame.constant(electrode.layer * p.current_scale / p.voltage)
    rate = _rate(frame, electrode, eta, layer)
    contact = None
    if fields is not None:
        rate = fields.activity * rate
        contact = fem.form(fields.activity * frame.w * part)
    total = rate * frame.w * part
    gradient = fem.form(ufl.derivative(total, frame.phi, frame.v))
    return Terminal(
        electrode, metal, rate, np.empty(0, np.int32), np.empty(0), area, fem.form(total),
        gradient, fields, contact, layer,
    )  # fmt: skip


def _rate(frame: Frame, electrode: Electrode, eta: Any, layer: Any) -> Any:
    """Current density of the kinetics with a layer in series, non-dimensional."""
    p = frame.problem
    if electrode.kinetics == "linear":
        if layer is not None:
            own = frame.constant(electrode.resistance * p.current_scale / p.voltage)
            return kinetics.linear(eta, 1 / (own + layer))
        conductance = p.voltage / (electrode.resistance * p.current_scale)
        return kinetics.linear(eta, frame.constant(conductance))
    i0, beta = frame.constant(electrode.i0 / p.current_scale), frame.constant(electrode.beta)
    if layer is not None:
        return kinetics.behind_resistance(
            eta, i0, beta, layer, ufl.exp, ufl.ln,
            lambda number, positive, negative: ufl.conditional(
                ufl.ge(number, 0), positive, negative
            ),
        )  # fmt: skip
    return kinetics.butler_volmer(eta, i0, beta, ufl.exp)


def dofs_of(frame: Frame, electrode: Electrode) -> NDArray[np.int32]:
    """Local and ghost unknowns on the surface of an electrode (collective)."""
    domain = frame.problem.domain
    facets = [domain.facets(g, key=f"{electrode.key}.group") for g in electrode.groups]
    found = fem.locate_dofs_topological(frame.V, domain.tdim - 1, np.concatenate(facets))
    # a rank may see a node of the surface and none of its facets
    mark = fem.Function(frame.V)
    mark.x.array[found] = 1
    mark.x.petsc_vec.ghostUpdate(PETSc.InsertMode.ADD, PETSc.ScatterMode.REVERSE)
    mark.x.scatter_forward()
    return np.flatnonzero(mark.x.array).astype(np.int32)


def _shift(frame: Frame, electrode: Electrode) -> Any:
    """V sigma_n/RT of the given formula as UFL."""
    p, stress = frame.problem, electrode.normal_stress
    if stress is None:
        return frame.constant(0.0)
    scale = kinetics.stress_shift(1.0, p.molar_volume) / p.voltage
    if stress.is_constant:
        return frame.constant(scale * float(stress.value(np.zeros((1, 3)))[0]))
    return frame.constant(scale) * stress.ufl(frame.x, p.domain.length)


def shift_at(
    frame: Frame, electrode: Electrode, dofs: NDArray[np.int32], fields: SurfaceFields | None
) -> NDArray[np.float64]:
    """V sigma_n/RT at unknowns: of the given formula and of the fields of the surface."""
    p = frame.problem
    found = np.zeros(len(dofs))
    if electrode.normal_stress is not None:
        points = frame.V.tabulate_dof_coordinates()[dofs] * p.domain.length
        stress = electrode.normal_stress.value(points)
        found += kinetics.stress_shift(stress, p.molar_volume) / p.voltage
    if fields is not None:
        between = fem.Function(frame.V)
        between.interpolate(fields.shift)
        found += between.x.array[dofs]
    return found


def check_apart(
    terminals: Sequence[Terminal], galvanostatic: Callable[[Terminal], bool], frame: Frame
) -> None:
    """Two surfaces without resistance must not touch at different potentials (collective).

    Raises:
        CaseError: On every rank.
    """
    plain = [t for t in terminals if t.rate is None]
    for i, a in enumerate(plain):
        for b in plain[:i]:
            same = not galvanostatic(a) and not galvanostatic(b)
            same = same and float(a.metal.value) == float(b.metal.value)
            if frame.everywhere(len(np.intersect1d(a.dofs, b.dofs))) and not same:
                raise CaseError(
                    f"the electrodes {a.electrode.name!r} and {b.electrode.name!r} touch, both "
                    "without resistance and at different potentials: the current is infinite",
                    key=f"{a.electrode.key}.kinetics", value="none",
                    hint="Give one of them an area_specific_resistance",
                )  # fmt: skip
