"""Unknowns of body, electrolyte and interface in one order over all ranks, and their matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc
from ssbmech.electro.system import ElectricSystem
from ssbmech.lithium.system import BodySystem

Floats = NDArray[Any]
Ints = NDArray[np.int64]


class Layout:
    """Where unknowns stand: on each rank w and phi, on rank 0 also s and h.

    Args:
        body: The body.
        ions: The electrolyte.
        n: Number of vertices of the interface.
    """

    def __init__(self, body: BodySystem, ions: ElectricSystem, n: int) -> None:
        comm = body.problem.domain.comm
        self.comm, self.n = comm, n
        self.w, self.phi = body.owned, ions.owned
        self.size = self.w + self.phi + (2 * n if comm.rank == 0 else 0)
        sizes = np.array(comm.allgather((self.w, self.phi, self.size)), np.int64)
        start = np.concatenate([[0], np.cumsum(sizes[:, 2])])
        self.starts = start
        self._w = (np.concatenate([[0], np.cumsum(sizes[:, 0])]), start[:-1])
        self._phi = (np.concatenate([[0], np.cumsum(sizes[:, 1])]), start[:-1] + sizes[:, 0])
        self._s = int(sizes[0, 0] + sizes[0, 1])

    def of_w(self, numbers: Ints) -> Ints:
        """Numbers in the whole of global unknowns of the body."""
        return _moved(numbers, *self._w)

    def of_phi(self, numbers: Ints) -> Ints:
        """Likewise of the potential."""
        return _moved(numbers, *self._phi)

    def of_s(self, vertices: Ints) -> Ints:
        """Likewise of the normal stress at vertices."""
        return np.asarray(vertices, np.int64) + self._s

    def of_h(self, vertices: Ints) -> Ints:
        """Likewise of the thickness at vertices."""
        return np.asarray(vertices, np.int64) + self._s + self.n

    def vector(self) -> Any:
        """A vector of the whole."""
        return PETSc.Vec().createMPI((self.size, PETSc.DECIDE), comm=self.comm)


def _moved(numbers: Ints, old: Ints, new: Ints) -> Ints:
    rank = np.searchsorted(old, numbers, side="right") - 1
    return np.asarray(new[rank] + numbers - old[rank])


class Pattern:
    """Entries that any rank gives anywhere, added up into the rows that each rank owns.

    Made from places once; then values in the same order give a matrix (all collective).

    Args:
        layout: Of the unknowns.
        rows: Of this rank's entries, -1 for those that are left out.
        columns: Likewise.
    """

    def __init__(self, layout: Layout, rows: Ints, columns: Ints) -> None:
        comm, starts = layout.comm, layout.starts
        self.comm = comm
        owner = np.searchsorted(starts, rows, side="right") - 1
        owner[(rows < 0) | (columns < 0)] = -1
        self._sent = [np.flatnonzero(owner == rank) for rank in range(comm.size)]
        found = comm.alltoall([np.vstack([rows[at], columns[at]]) for at in self._sent])
        places = np.hstack(found)
        first, n = starts[comm.rank], layout.size
        key = (places[0] - first) * starts[-1] + places[1]
        kept, self._entry = np.unique(key, return_inverse=True)
        counts = np.bincount(kept // starts[-1], minlength=n)
        pointer = np.concatenate([[0], np.cumsum(counts)])
        self._csr = (
            pointer.astype(PETSc.IntType), (kept % starts[-1]).astype(PETSc.IntType)
        )  # fmt: skip
        self.matrix = PETSc.Mat().createAIJ(
            ((n, PETSc.DECIDE), (n, PETSc.DECIDE)), csr=(*self._csr, np.zeros(len(kept))), comm=comm
        )

    def fill(self, values: Floats) -> None:
        """Replace the values of the matrix."""
        found = self.comm.alltoall([values[at] for at in self._sent])
        summed = np.bincount(self._entry, np.concatenate(found), len(self._csr[1]))
        self.matrix.setValuesCSR(*self._csr, summed)
        self.matrix.assemble()
