"""The record beside every result: versions, commit, mesh, units, ranks, residuals, standing."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import resource
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def versions() -> dict[str, str]:
    """Versions of what a number depends on."""
    import ssbmech

    out = {"ssbmech": ssbmech.__version__, "python": platform.python_version()}
    for name in ("fenics-dolfinx", "petsc4py", "mpi4py", "gmsh", "numpy", "scipy"):
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            module = {"fenics-dolfinx": "dolfinx"}.get(name, name)
            out[name] = getattr(__import__(module), "__version__", "unknown")
    return out


def commit() -> str:
    """Commit of the checkout that runs, with ``+changes`` if edited; "" outside a checkout."""
    import ssbmech

    folder = Path(ssbmech.__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10
        ).stdout.strip()

    try:
        if git("rev-parse", "--show-toplevel") != str(folder.parent):
            return ""
        head = git("rev-parse", "--short=12", "HEAD")
        return head + ("+changes" if git("status", "--porcelain", "-uno") else "") if head else ""
    except (OSError, subprocess.SubprocessError):
        return ""


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def peak_memory(comm: Any) -> float:
    """Largest resident memory so far, summed over ranks [bytes] (collective)."""
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return float(comm.allreduce(mine))


def now() -> str:
    """Time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
