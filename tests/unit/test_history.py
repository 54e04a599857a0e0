"""The history of a run: what is in the file at every moment, and back; the live line."""

import io
import re

import numpy as np
import pytest
from odes import Linear
from ssbmech.errors import OutputError
from ssbmech.numerics.march import march
from ssbmech.numerics.stepping import Drive, Phase, Step
from ssbmech.output.history import UNITS, History, read_history, unit_of
from ssbmech.output.live import Live, heading, row
from ssbmech.units import parse


def step(number, phase=1, events=(), **monitors):
    return Step(
        number, 0.1 * number, 0.1, phase, "plate", 1, 3, 0.5, 0, monitors, tuple(events), False
    )


def test_rows_are_there_at_once_and_whole(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path)
    assert path.read_text() == "time [s],step,phase,cycle,dt [s],newton,error\n"
    history.add(step(1, voltage=-0.0123, pressure_max=5e6, contact=0.5))
    for k in range(2, 6):
        history.add(step(k, voltage=-0.01 * k, pressure_max=1e6 * k, contact=1.0))
        text = path.read_text()
        assert text.endswith("\n")
        assert len(text.splitlines()) == k + 1
    head, first = path.read_text().splitlines()[:2]
    assert head.endswith("newton,error,voltage [mV],pressure_max [MPa],contact [%]")
    assert first == "0.1,1,1,1,0.1,3,0.5,-12.3,5,50"
    history.close()


def test_there_and_back(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path)
    rng = np.random.default_rng(1)
    for k in range(1, 20):
        history.add(step(k, **{n: float(rng.normal()) for n in ("voltage", "K_I", "capacity")}))
    mine, read = history.columns(), read_history(path)
    assert list(read) == list(mine)
    for name, values in mine.items():
        assert read[name] == pytest.approx(values, rel=1e-13)


def test_a_monitor_that_appears_later(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path)
    history.add(step(1, voltage=1.0))
    history.add(step(2, voltage=1.0, fill=0.5))
    history.add(step(3, fill=0.75))
    read = read_history(path)
    assert read["fill"] == pytest.approx([np.nan, 0.5, 0.75], nan_ok=True)
    assert read["voltage"] == pytest.approx([1.0, 1.0, np.nan], nan_ok=True)


def test_rows_of_a_checkpoint_replace_later_ones(tmp_path):
    path = tmp_path / "history.csv"
    history = History(path)
    for k in (1, 2):
        history.add(step(k, voltage=k / 3.0))
    names, rows = history.state()
    history.add(step(3, voltage=9.0, fill=0.1))
    again = History(path)
    again.restore(names, rows)
    again.add(step(3, voltage=1.0))
    assert read_history(path)["voltage"] == pytest.approx([1.0 / 3.0, 2.0 / 3.0, 1.0])
    assert again.columns()["voltage"].tolist()[:2] == [1.0 / 3.0, 2.0 / 3.0]
    assert not list(tmp_path.glob("*.part"))


def test_in_memory_alone():
    history = History()
    history.add(step(1, voltage=1.0))
    history.sync()
    history.close()
    assert history.columns()["voltage"].tolist() == [1.0]


def test_units_are_those_that_the_parser_knows():
    for name, (unit, factor) in UNITS.items():
        if unit:
            assert parse(f"1 {unit}")[0] == pytest.approx(factor, rel=1e-14), name
    assert unit_of("wall_pressure") == ("MPa", 1e6)
    assert unit_of("anything") == ("", 1.0)


def test_no_history(tmp_path):
    with pytest.raises(OutputError, match="no history"):
        read_history(tmp_path / "history.csv")
    with pytest.raises(OutputError, match=r"cannot be written.*No such file"):
        History(tmp_path / "nowhere" / "history.csv")


# -- the live line --------------------------------------------------------------------------------


def test_columns_stand_below_their_heads():
    given = {"voltage": -0.0123, "current_density": 10.0, "pressure_max": 1.234e8, "K_ratio": 0.5}
    texts = [heading(), row(step(1, **given)), row(step(123456, voltage=-1e4, contact=1e-9))]
    for head in ("t s", "V mV", "p_max MPa", "K/K_IC", "contact %", "dt s", "its"):
        end = texts[0].index(head) + len(head)
        for text in texts[1:]:
            assert text[end - 1] != " "
            assert text[end] == " "
    assert re.split(r"  +", texts[1].strip()) == [
        "1", "0.1", "1.000", "-12.30", "123.40", "0.5000", "-", "0.1", "3", "1 plate",
    ]  # fmt: skip
    assert row(step(1, events=["extension"])).endswith("1 plate  * extension")


def test_lines_every_few_seconds_and_at_events():
    stream = io.StringIO()
    phases = [Phase("plate", Drive(current_density=1.0), 1.0, 0.1)] * 2
    live = Live(phases, stream=stream, every=3600.0)
    for k in range(1, 6):
        live(step(k))
    live(step(6, events=["extension"]))
    live(step(7))
    live(step(8, phase=2))
    live(step(9, phase=2))
    live.close()
    live.close()
    numbers = [int(line.split()[0]) for line in stream.getvalue().splitlines()[1:]]
    assert numbers == [1, 6, 8, 9]


def test_nothing_when_quiet():
    stream = io.StringIO()
    live = Live([], show=False, stream=stream)
    live(step(1))
    live.close()
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("duration", [1.0, np.inf])
def test_a_bar_on_a_terminal(duration):
    stream = Terminal()
    drive = Drive(current_density=0.0)
    phases = [Phase("rest", drive, 1.0, 0.1), Phase("rest", drive, duration, 0.1)]
    live = Live(phases, stream=stream)
    shares = []

    def shown(done):
        live(done)
        shares.append(live.share())

    whole = [phases[0], Phase("rest", drive, 1.0, 0.1)]
    steps = []
    from ssbmech.numerics.controller import Options

    march(Linear(), whole, Options(1e-9), on_step=lambda s: (steps.append(s), shown(s)))
    live.close()
    text = stream.getvalue()
    assert heading() in text
    assert f"{steps[len(steps) // 2].number:>6} " in text  # the line is rewritten at each step
    assert text.rstrip().endswith(row(steps[-1]).rstrip())
    if np.isfinite(duration):
        assert shares == sorted(shares)
        assert shares == pytest.approx([s.time / 2.0 for s in steps])
        assert "%|" in text
    else:
        assert np.isnan(shares).all()
