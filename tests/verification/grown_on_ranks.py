"""A growing layer in a pellet on any number of ranks; rank 0 keeps stresses and samples."""

import sys
import tempfile
from pathlib import Path

import numpy as np
from mpi4py import MPI
from test_grown_layers import pellet

if __name__ == "__main__":
    comm = MPI.COMM_WORLD
    folder = Path(comm.bcast(tempfile.mkdtemp() if comm.rank == 0 else None))
    grown = pellet(8.0, folder, samples=5, ranges={"strength": ["60 MPa", "90 MPa"]})
    series = grown.response.main
    assert len(grown.table.answers["strength_time"]) == 5
    if comm.rank == 0:
        np.savez(
            sys.argv[1], energy=[s.energy for s in series.steps],
            pressure=[s.pressure for s in series.steps],
            samples=grown.table.answers["strength_thickness"],
            **{n: series.curve("under", n) for n in series.components},
        )  # fmt: skip
