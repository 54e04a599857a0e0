"""Linear solves that converge or say why: Krylov presets, rigid modes, residual history."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.errors import SolverError

PREFIX = "ssbmech_"
# Direct below this number of unknowns: a factorisation is then cheaper than a multigrid set-up.
DIRECT_LIMIT = {2: 400_000, 3: 45_000}

_CG_GAMG = {
    "ksp_type": "cg",
    "ksp_norm_type": "unpreconditioned",
    "ksp_max_it": "400",
    "pc_type": "gamg",
    "pc_gamg_threshold": "0.0",
    "pc_gamg_coarse_eq_limit": "1000",
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_pc_type": "sor",
    "mg_levels_ksp_chebyshev_esteig_steps": "10",
}
_DIRECT = {
    "ksp_type": "preonly",
    "pc_type": "cholesky",
    "pc_factor_mat_solver_type": "mumps",
    # MUMPS' default 20 % head-room for its workspace is sometimes short on 3-D problems
    "mat_mumps_icntl_14": "80",
}


@dataclass(frozen=True)
class LinearReport:
    """What a solve did.

    Attributes:
        method: "cholesky (mumps)" or "cg + gamg".
        unknowns: Global number of unknowns.
        iterations: Krylov iterations (1 for a direct solve).
        residual: Final relative residual, true norm of b - A x.
        history: Krylov residual norms relative to the first.
        setup_seconds: Preconditioner or factorisation.
        solve_seconds: Krylov iterations or substitutions.
    """

    method: str
    unknowns: int
    iterations: int
    residual: float
    history: tuple[float, ...]
    setup_seconds: float
    solve_seconds: float


@dataclass
class LinearSolver:
    """A symmetric positive definite solver whose set-up is kept for further right-hand sides.

    Args:
        A: Assembled matrix with boundary conditions applied symmetrically.
        near_nullspace: Rigid modes as owned arrays, for multigrid.
        method: "auto", "direct" or "iterative".
        rtol: Relative tolerance of the Krylov residual.
        options: PETSc options without prefix; they override the preset.
    """

    A: Any
    near_nullspace: list[NDArray[np.float64]]
    dim: int
    method: str = "auto"
    rtol: float = 1e-10
    options: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = self.A.getSize()[0]
        method = self.method
        if method == "auto":
            method = "direct" if n <= DIRECT_LIMIT[self.dim] else "iterative"
        preset = dict(_DIRECT if method == "direct" else _CG_GAMG)
        if method == "iterative":
            preset["ksp_rtol"] = repr(self.rtol)
        self._name = "cholesky (mumps)" if method == "direct" else "cg + gamg"
        preset.update(self.options)
        # Options live in one table of the process: ours are there during the set-up only.
        store = PETSc.Options(PREFIX)
        for key, value in preset.items():
            store.setValue(key, value)
        self.A.setOption(PETSc.Mat.Option.SPD, True)
        if self.near_nullspace:
            self._rigid = [
                PETSc.Vec().createWithArray(v, bsize=self.A.getBlockSize(), comm=self.A.comm)
                for v in self.near_nullspace
            ]
            self.A.setNearNullSpace(PETSc.NullSpace().create(vectors=self._rigid))
        self._ksp = PETSc.KSP().create(self.A.comm)
        self._ksp.setOptionsPrefix(PREFIX)
        self._ksp.setOperators(self.A)
        self._ksp.setFromOptions()
        start = time.perf_counter()
        try:
            self._ksp.setUp()
        except PETSc.Error as error:
            raise SolverError(
                f"the set-up of the linear solver ({self._name}) failed: {error}",
                hint="A zero pivot means a part of the body without support or without material",
            ) from error
        finally:
            for key in preset:
                store.delValue(key)
        self._setup_seconds = time.perf_counter() - start

    def solve(self, b: Any, x: Any) -> LinearReport:
        """Solve A x = b.

        Raises:
            SolverError: On every rank, with the residual history, when it did not converge.
        """
        ksp, start = self._ksp, time.perf_counter()
        ksp.setConvergenceHistory()
        try:
            ksp.solve(b, x)
        except PETSc.Error as error:
            raise SolverError(
                f"the linear solver ({self._name}, {self.A.getSize()[0]} unknowns) failed: {error}",
                hint='A direct solver may be short of memory: solver.method = "iterative"',
            ) from error
        seconds = time.perf_counter() - start
        reason = ksp.getConvergedReason()
        history = np.asarray(ksp.getConvergenceHistory())
        history = history / history[0] if history.size and history[0] > 0 else history
        r = b.duplicate()
        self.A.mult(x, r)
        r.aypx(-1.0, b)
        norm_b = b.norm()
        residual = r.norm() / norm_b if norm_b > 0 else r.norm()
        r.destroy()
        setup, self._setup_seconds = self._setup_seconds, 0.0
        limit = 1e-6 if self._name.startswith("chol") else 100 * self.rtol
        if reason < 0 or not np.isfinite(residual) or residual > max(limit, 1e-6):
            tail = ", ".join(f"{h:.2e}" for h in history[-8:])
            raise SolverError(
                f"the linear solver ({self._name}, {self.A.getSize()[0]} unknowns) did not "
                f"converge: reason {reason}, {ksp.getIterationNumber()} iterations, relative "
                f"residual {residual:.2e}, last residuals [{tail}]",
                hint="Check constraints and mesh quality, or give PETSc options after --, "
                "e.g. -- -ssbmech_ksp_max_it 1000",
            )
        return LinearReport(
            method=self._name,
            unknowns=self.A.getSize()[0],
            iterations=max(ksp.getIterationNumber(), 1),
            residual=float(residual),
            history=tuple(float(h) for h in history),
            setup_seconds=setup,
            solve_seconds=seconds,
        )


def indefinite_lu(A: Any) -> Any:
    """A solver that factorises by MUMPS' LU, for matrices that are indefinite or not symmetric."""
    ksp = PETSc.KSP().create(A.comm)
    ksp.setOperators(A)
    ksp.setType("preonly")
    pc = ksp.getPC()
    pc.setType("lu")
    pc.setFactorSolverType("mumps")
    pc.setFactorSetUpSolverType()
    # MUMPS' default 20 % head-room for its workspace is short where pivots are delayed
    pc.getFactorMatrix().setMumpsIcntl(14, 80)
    return ksp


def rigid_modes(x: NDArray[np.float64], model: str) -> NDArray[np.float64]:
    """Rigid displacements at points.

    Args:
        x: Coordinates, shape (n, 3).
        model: Mechanical model; axisymmetric bodies only translate along the axis.

    Returns:
        Shape (n_modes, n, dim); rotations about the mean of ``x`` are left to the caller to centre.
    """
    n = len(x)
    if model == "axisymmetric":
        modes = np.zeros((1, n, 2))
        modes[0, :, 1] = 1
        return modes
    if model == "3d":
        modes = np.zeros((6, n, 3))
        for i in range(3):
            modes[i, :, i] = 1
            a, b = (i + 1) % 3, (i + 2) % 3
            modes[3 + i, :, b], modes[3 + i, :, a] = x[:, a], -x[:, b]
        return modes
    modes = np.zeros((3, n, 2))
    modes[0, :, 0] = modes[1, :, 1] = 1
    modes[2, :, 0], modes[2, :, 1] = -x[:, 1], x[:, 0]
    return modes
