"""What the ranges of the inputs do to an answer: a Latin hypercube, a row per sample, resumable.

The sample is fixed by its seed and the ranges before anything is computed. Every finished row is
written at once; a run that was ended goes on with the first row that is missing, and gives the same
table as one that was not. Ranges are bounds, not distributions: within one every value (or, over a
factor of five or more, every order of magnitude) counts the same, and percentiles mean no more.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from ssbmech.errors import CaseError, OutputError, SsbmechError
from ssbmech.materials.library import Value

_MARK = "# ssbmech sample "
_INDEX, _FAILED = "sample", "failed"
#: High over low from which a range counts by orders of magnitude, as in the materials library.
_WIDE = 5.0


@dataclass(frozen=True)
class Range:
    """Range of an input.

    Attributes:
        low: [SI].
        high: [SI], above ``low``.
        scale: "log": every factor counts the same.
    """

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise CaseError("the range is empty or reversed", key="range",
                            value=(self.low, self.high), allowed="low below high")  # fmt: skip
        if self.scale == "log" and self.low <= 0.0:
            raise CaseError("a logarithmic range must be positive", key="range", value=self.low,
                            allowed="above 0")  # fmt: skip

    @classmethod
    def between(cls, low: float, high: float) -> Range:
        """Logarithmic where it spans a factor of five or more, else linear."""
        wide = low > 0.0 and high / low >= _WIDE
        return cls(low, high, "log" if wide else "linear")

    @classmethod
    def of_value(cls, value: Value) -> Range | None:
        """Range of a value of the materials library, None where it has none."""
        low, high = value.band
        return cls.between(low, high) if high > low else None

    def at(self, share: NDArray) -> NDArray:
        """Values at shares 0 to 1 of the range."""
        if self.scale == "log":
            return self.low * (self.high / self.low) ** share
        return self.low + (self.high - self.low) * share


@dataclass(frozen=True)
class Spread:
    """Statistics of one answer.

    Attributes:
        median: Of the samples that gave a value.
        low: 5th percentile.
        high: 95th percentile.
        n: Number of samples with a value.
        influence: Input to its rank correlation with the answer, -1 to 1, strongest first.
    """

    median: float
    low: float
    high: float
    n: int
    influence: dict[str, float]


@dataclass(frozen=True)
class Table:
    """Finished samples.

    Attributes:
        inputs: Name to values, (n,).
        answers: Name to values, (n,), NaN where the sample failed.
        failures: Sample to what was wrong with it.
        seed: Of the sample.
    """

    inputs: dict[str, NDArray]
    answers: dict[str, NDArray]
    failures: dict[int, str]
    seed: int

    def spread(self, name: str) -> Spread:
        """Median and 5th to 95th percentile of an answer.

        Raises:
            CaseError: If there is no such answer, or no sample gave a value.
        """
        if name not in self.answers:
            raise CaseError("no such answer", key="sample", value=name,
                            allowed=", ".join(self.answers))  # fmt: skip
        values = self.answers[name]
        good = np.isfinite(values)
        if not good.any():
            raise CaseError("no sample gave a value", key="sample", value=name,
                            hint=next(iter(self.failures.values()), ""))  # fmt: skip
        low, median, high = np.percentile(values[good], (5.0, 50.0, 95.0))
        influence = rank_correlations({k: x[good] for k, x in self.inputs.items()}, values[good])
        return Spread(float(median), float(low), float(high), int(good.sum()), influence)

    def text(self, name: str, *, unit: str = "", scale: float = 1.0) -> str:
        """Median, 5-95 % and the strongest inputs, in words.

        Args:
            name: Of the answer.
            unit: It is shown in.
            scale: SI value of that unit.
        """
        s = self.spread(name)
        numbers = [f"{x / scale:.4g}" for x in (s.median, s.low, s.high)]
        text = f"{name}: median {numbers[0]}, 5-95 % {numbers[1]} to {numbers[2]} {unit}".rstrip()
        text += f", {s.n} samples"
        if self.failures:
            text += f" ({len(self.failures)} failed: {next(iter(self.failures.values()))})"
        strong = [f"{k} {v:+.2f}" for k, v in s.influence.items() if abs(v) >= 0.1][:4]
        return text + (f"; rank correlation with {', '.join(strong)}" if strong else "")


def sample_points(ranges: Mapping[str, Range], n: int, seed: int) -> dict[str, NDArray]:
    """A Latin hypercube: each of n equal slices of every range holds one sample.

    Args:
        ranges: By name of the input.
        n: Number of samples.
        seed: The same one gives the same sample.

    Returns:
        Values by name, (n,).

    Raises:
        CaseError: Without ranges or samples.
    """
    from scipy.stats import qmc

    if not ranges:
        raise CaseError("no input has a range", key="ranges", hint="Give low and high of one")
    if n < 1:
        raise CaseError("is out of range", key="samples", value=n, allowed="1 or more")
    shares = qmc.LatinHypercube(len(ranges), seed=np.random.default_rng(seed)).random(n)
    return {name: r.at(shares[:, j]) for j, (name, r) in enumerate(ranges.items())}


def run_samples(
    function: Callable[..., float | Mapping[str, float]],
    ranges: Mapping[str, Range],
    n: int,
    path: Path,
    *,
    answers: Sequence[str] = ("value",),
    seed: int = 0,
    about: str = "",
    show: bool = True,
    stream: Any = None,
    comm: Any = None,
) -> Table:
    """Call a function for every sample, or for those that are missing in the file.

    Args:
        function: Takes the inputs by name; gives a number, or several by name, NaN where there is
            none. A sample for which it raises an error of ours is recorded as failed, with its
            words, and does not end the run.
        ranges: Of its inputs.
        n: Number of samples.
        path: CSV file: it is made, or continued.
        answers: Names of what the function gives, the columns of the file.
        seed: Of the sample.
        about: All else that the answers depend on, such as the text of the case: a file that was
            made with other words is refused, not continued.
        show: Whether to show progress: a bar on a terminal, else nothing.
        stream: Where, by default standard error.
        comm: MPI communicator where the function is collective and gives the same on every rank;
            rank 0 has the file.

    Raises:
        OutputError: If the file belongs to another sample.
        CaseError: As `sample_points`.
    """
    points = sample_points(ranges, n, seed)
    kept = {k: asdict(r) for k, r in ranges.items()}
    identity = {"seed": seed, "n": n, "ranges": kept, "answers": list(answers)}
    if about:
        identity["about"] = hashlib.sha256(about.encode()).hexdigest()[:16]
    done = _opened(path, identity, comm)
    with _progress(n, len(done.rows), show and done.writes, stream) as tick:
        for i in range(n):
            if i in done.rows:
                continue
            inputs = {name: float(values[i]) for name, values in points.items()}
            done.add(i, inputs, *_call(function, inputs, answers))
            tick()
    return done.table(points, n, seed)


def _opened(path: Path, identity: dict[str, Any], comm: Any) -> _Rows:
    """The rows that are there, on every rank."""
    if comm is None or comm.size == 1:
        return _Rows(path, identity)
    from ssbmech.parallel import on_root

    rows = on_root(comm, lambda: _Rows(path, identity))
    rows.writes = comm.rank == 0
    return rows


def _call(
    function: Callable[..., float | Mapping[str, float]],
    inputs: dict[str, float],
    answers: Sequence[str],
) -> tuple[list[float], str]:
    try:
        found = function(**inputs)
    except SsbmechError as error:
        return [math.nan] * len(answers), " ".join(str(error).split())
    if not isinstance(found, Mapping):
        found = {answers[0]: found}
    if set(found) != set(answers):
        raise CaseError("the function gives other answers than the file has columns", key="answers",
                        value=sorted(found), allowed=", ".join(answers))  # fmt: skip
    return [float(found[name]) for name in answers], ""


class _Rows:
    """The CSV file: a comment with the identity of the sample, a heading, a row per sample."""

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path, self.writes = Path(path), True
        self.rows: dict[int, tuple[list[float], str]] = {}
        text = json.dumps(identity, sort_keys=True)
        self.names, self.answers = list(identity["ranges"]), list(identity["answers"])
        heading = _line([_INDEX, *self.names, *self.answers, _FAILED])
        self.head = [f"{_MARK}{hashlib.sha256(text.encode()).hexdigest()[:16]} {text}", heading]
        if self.path.exists():
            self._read()
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write(self.head, "w")

    def _write(self, lines: Sequence[str], mode: Literal["a", "w"] = "a") -> None:
        with self.path.open(mode, encoding="utf-8", newline="") as file:
            file.write("".join(line + "\n" for line in lines))

    def _read(self) -> None:
        """Finished rows; a last line without its end was cut off while it was written."""
        *whole, rest = self.path.read_text(encoding="utf-8").split("\n")
        if whole and whole[: len(self.head)] != self.head[: len(whole)]:
            raise OutputError(
                "the file holds another sample (case, ranges, number of samples, seed or answers)",
                key=str(self.path), hint="Choose another file, or remove this one",
            )  # fmt: skip
        if not whole and not self.head[0].startswith(rest):
            raise OutputError("this is no file of samples", key=str(self.path))
        kept = len(self.names) + 1
        for row in csv.reader(whole[len(self.head) :]):
            self.rows[int(row[0])] = ([float(x) for x in row[kept:-1]], row[-1])
        if rest or len(whole) < len(self.head):
            self._write(whole if len(whole) >= len(self.head) else self.head, "w")

    def add(self, i: int, inputs: dict[str, float], answers: list[float], failed: str) -> None:
        """Write a finished sample."""
        given = [repr(inputs[name]) for name in self.names]
        if self.writes:
            self._write([_line([str(i), *given, *map(repr, answers), failed])])
        self.rows[i] = (answers, failed)

    def table(self, points: dict[str, NDArray], n: int, seed: int) -> Table:
        """All rows, in the order of the sample."""
        answers = {
            name: np.array([self.rows[i][0][j] for i in range(n)])
            for j, name in enumerate(self.answers)
        }
        failures = {i: self.rows[i][1] for i in range(n) if self.rows[i][1]}
        return Table(points, answers, failures, seed)


def _line(cells: Sequence[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


@contextmanager
def _progress(n: int, done: int, show: bool, stream: Any) -> Iterator[Callable[[], Any]]:
    """A bar on a terminal; elsewhere nothing, a batch job's log needs none."""
    where = stream or sys.stderr
    if not (show and where.isatty()):
        yield lambda: None
        return
    from tqdm import tqdm

    with tqdm(total=n, initial=done, unit="sample", file=where, dynamic_ncols=True) as bar:
        yield bar.update


def rank_correlations(inputs: Mapping[str, NDArray], answer: NDArray) -> dict[str, float]:
    """Spearman's correlation of every input with an answer, (n,), the strongest first."""
    pairs = {name: _rank_correlation(x, answer) for name, x in inputs.items()}
    return {name: pairs[name] for name in sorted(pairs, key=lambda k: -abs(pairs[k]))}


def _rank_correlation(x: NDArray, y: NDArray) -> float:
    """Spearman's; 0 where one of them does not vary beyond rounding."""
    if x.size < 3 or any(np.ptp(v) <= 1e-12 * np.abs(v).max() for v in (x, y)):
        return 0.0
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
