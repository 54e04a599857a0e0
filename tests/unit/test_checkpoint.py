"""Checkpoints: two generations, damage, what they belong to, restart to the last bit."""

import json
import os

import numpy as np
import pytest
import ssbmech
from odes import Oscillator, found, oscillator_run
from ssbmech.config_time import StepBlock, TimeBlock
from ssbmech.errors import OutputError
from ssbmech.numerics.controller import StepError
from ssbmech.numerics.stepping import Position
from ssbmech.output import checkpoint
from ssbmech.output.checkpoint import CheckpointError, Identity, Store, case_keys
from ssbmech.programme import programme
from ssbmech.time_stage import run_in_time

CASE = {
    "title": "one",
    "materials": {"electrolyte": {"E": "150 GPa", "nu": 0.3}},
    "electrode": [{"group": "li"}, {"group": "cathode"}],
    "mesh": {"file": "a.msh", "length_unit": "um"},
    "time": {"tolerance": 1e-3, "max_steps": 100, "checkpoint": 20, "outputs": 3, "cycles": 1},
    "step": [{"do": "plate", "duration": "1 h"}, {"do": "rest", "duration": "1 h"}],
    "output": {"fields": True},
}
ARRAYS = {"u": np.linspace(0.0, 1.0, 1000), "n": np.array([3])}
ROWS = np.arange(12.0).reshape(4, 3) / 7.0
NAMES = ["time", "step", "voltage"]


def changed(*path, value=None):
    data = json.loads(json.dumps(CASE))
    place = data
    for part in path[:-1]:
        place = place[part]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return data


def identity(data=CASE, mesh="m1", steps=(3600.0, 3600.0)):
    return Identity(case_keys(data), mesh, steps)


def store(folder, **more):
    return Store(folder, identity(**more))


def at(steps, phase=0):
    return Position(start=0.1, phase=phase, elapsed=1.0 / 3.0, steps=steps, wish=1e-3)


def write(folder, *counts, **more):
    mine = store(folder, **more)
    return [mine.save(at(k), ARRAYS, NAMES, ROWS) for k in counts]


def test_there_and_back(tmp_path):
    assert store(tmp_path / "new").latest() is None
    paths = write(tmp_path / "new", 20, 40, 60)
    assert len(set(paths)) == 2
    back = store(tmp_path / "new").latest()
    assert back.position == at(60)
    assert back.names == NAMES
    assert back.rows.tolist() == ROWS.tolist()
    assert {k: v.tolist() for k, v in back.arrays.items()} == {
        k: v.tolist() for k, v in ARRAYS.items()
    }
    assert back.notes == ()
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == sorted(checkpoint._SLOTS)


def test_a_second_process_does_not_overwrite_the_newest(tmp_path):
    write(tmp_path, 20, 40)
    newest = max(
        tmp_path.iterdir(), key=lambda p: np.load(p)["head"].tobytes().find(b'"steps": 40')
    )
    before = newest.read_bytes()
    again = store(tmp_path)
    again.latest()
    again.save(at(60), ARRAYS, NAMES, ROWS)
    assert newest.read_bytes() == before
    fresh = store(tmp_path)  # one that starts without reading
    fresh.save(at(80), ARRAYS, NAMES, ROWS)
    assert store(tmp_path).latest().position.steps == 80


def test_a_damaged_newest_falls_back_with_a_note(tmp_path):
    paths = write(tmp_path, 20, 40)
    data = open(paths[1], "rb").read()
    for cut in (0, 1, 100, len(data) // 2, len(data) - 1):
        with open(paths[1], "wb") as file:
            file.write(data[:cut])
        back = store(tmp_path).latest()
        assert back.position.steps == 20
        assert "is damaged" in back.notes[0]
        assert os.path.basename(paths[0]) in back.notes[0]
    mine = store(tmp_path)
    mine.latest()
    assert mine.save(at(60), ARRAYS, NAMES, ROWS) == paths[1]  # the damaged one is replaced


def test_no_flipped_byte_gives_other_numbers(tmp_path):
    paths = write(tmp_path, 20, 40)
    data = open(paths[1], "rb").read()
    rng = np.random.default_rng(0)
    fell = 0
    for where in rng.integers(0, len(data), 150):
        hurt = bytearray(data)
        hurt[where] ^= 1 << int(rng.integers(8))
        with open(paths[1], "wb") as file:
            file.write(hurt)
        back = store(tmp_path).latest()
        fell += back.position.steps == 20
        assert back.position in (at(20), at(40))
        assert back.rows.tolist() == ROWS.tolist()
        assert back.arrays["u"].tolist() == ARRAYS["u"].tolist()
    assert fell > 100


def test_nothing_that_can_be_read(tmp_path):
    for path in write(tmp_path, 20, 40):
        open(path, "wb").close()
    with pytest.raises(CheckpointError, match=r"no checkpoint can be read: .*damaged.*damaged"):
        store(tmp_path).latest()
    mine = store(tmp_path)
    mine.clear()
    assert mine.latest() is None


def test_a_failed_write_leaves_the_others(tmp_path, monkeypatch):
    write(tmp_path, 20, 40)
    mine = store(tmp_path)
    mine.latest()

    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(OutputError, match=r"No space left"):
            mine.save(at(60), ARRAYS, NAMES, ROWS)
    assert store(tmp_path).latest().position.steps == 40
    mine.save(at(60), ARRAYS, NAMES, ROWS)
    assert store(tmp_path).latest().position.steps == 60
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed("materials", "electrolyte", "E", value="100 GPa"),
         [r'materials.electrolyte.E is "100 GPa" and was "150 GPa"']),
        (changed("electrode", 1, "group", value="other"), ["electrode.1.group", '"cathode"']),
        (changed("time", "tolerance", value=1e-4), ["time.tolerance is 0.0001 and was 0.001"]),
        (changed("materials", "electrolyte", "nu"), ["nu is not given and was 0.3"]),
        (changed("step", 0, "do", value="strip"), ["step.0.do"]),
        (changed("step", 0, "potential", value="1 V"), ["step.0.potential", "was not given"]),
    ],
)  # fmt: skip
def test_another_case_is_refused_with_the_keys(tmp_path, data, words):
    write(tmp_path, 20)
    with pytest.raises(CheckpointError) as caught:
        store(tmp_path, data=data).latest()
    for word in ("belongs to another case", *words):
        assert word in str(caught.value)


def test_another_mesh_is_refused(tmp_path):
    write(tmp_path, 20)
    with pytest.raises(CheckpointError, match="the mesh is another one"):
        store(tmp_path, mesh="m2").latest()


def test_many_differences_are_not_all_listed(tmp_path):
    write(tmp_path, 20)
    with pytest.raises(CheckpointError, match=r"; and [0-9]+ more"):
        store(tmp_path, data={}).latest()


@pytest.mark.parametrize(
    "data",
    [
        changed("title", value="two"), changed("output", "fields", value=False),
        changed("output"), changed("mesh", "file", value="elsewhere/a.msh"),
        changed("time", "max_steps", value=5), changed("time", "checkpoint", value=1),
        changed("time", "outputs", value=["1 s"]), changed("time", "cycles", value=9),
    ],
)  # fmt: skip
def test_what_may_change(tmp_path, data):
    write(tmp_path, 20)
    assert store(tmp_path, data=data).latest().position.steps == 20


@pytest.mark.parametrize(
    ("phase", "number", "length", "good"),
    [(0, 0, 7200.0, True), (0, 0, 1800.0, False), (0, 1, 7200.0, True), (1, 0, 7200.0, False),
     (1, 1, 7200.0, True), (2, 1, 7200.0, False)],
)  # fmt: skip
def test_a_step_may_get_longer_unless_it_is_over(tmp_path, phase, number, length, good):
    store(tmp_path).save(at(20, phase), ARRAYS, NAMES, ROWS)
    data = changed("step", number, "duration", value=f"{length:g} s")
    steps = [3600.0, 3600.0]
    steps[number] = length
    mine = Store(tmp_path, Identity(case_keys(data), "m1", tuple(steps)))
    if good:
        assert mine.latest() is not None
    else:
        with pytest.raises(CheckpointError, match=rf"step.{number}.duration"):
            mine.latest()


def test_steps_may_be_added_at_the_end(tmp_path):
    write(tmp_path, 20)
    data = json.loads(json.dumps(CASE))
    data["step"].append({"do": "rest", "duration": "1 h"})
    mine = Store(tmp_path, Identity(case_keys(data), "m1", (3600.0,) * 3))
    assert mine.latest() is not None


@pytest.mark.parametrize(("name", "value"), [("format", 99), ("version", "99.0")])
def test_another_version_is_refused(tmp_path, monkeypatch, name, value):
    with monkeypatch.context() as patch:
        if name == "format":
            patch.setattr(checkpoint, "FORMAT", value)
        else:
            patch.setattr(ssbmech, "__version__", value)
        write(tmp_path, 20)
    with pytest.raises(CheckpointError, match=rf"another {name}.*given: '?{value}.*Allowed"):
        store(tmp_path).latest()


def test_a_case_has_one_digest_however_it_is_written():
    turned = {key: CASE[key] for key in reversed(CASE)}
    assert case_keys(turned) == case_keys(CASE)
    assert case_keys(CASE)["electrode.1.group"] == '"cathode"'
    assert not {"title", "time.cycles", "output.fields", "mesh.file"} & case_keys(CASE).keys()


# -- a run ----------------------------------------------------------------------------------------


def test_a_run_that_was_stopped_anywhere_gives_the_same_numbers(tmp_path):
    expected = found(*oscillator_run(tmp_path / "whole"))

    class Stop(Exception):
        pass

    for last in (1, 6, 7, 8, 200, 203, 250):

        def stop(step, last=last):
            if step.number == last:
                raise Stop

        folder = tmp_path / str(last)
        with pytest.raises(Stop):
            oscillator_run(folder, on_step=stop)
        resumed = []
        mine = oscillator_run(folder, on_resume=lambda at, r=resumed: r.append(at.steps))
        lost = last - (resumed[0] if resumed else 0)
        assert 0 < lost <= 7  # one interval
        assert found(*mine) == expected
        assert (folder / "history.csv").read_bytes() == (
            tmp_path / "whole/history.csv"
        ).read_bytes()


def test_a_finished_run_is_not_repeated(tmp_path):
    expected = found(*oscillator_run(tmp_path))
    steps = []
    model, result = oscillator_run(tmp_path, on_step=steps.append)
    assert (steps, model.calls) == ([], 0)
    assert found(model, result) == expected
    model, result = oscillator_run(tmp_path, on_step=steps.append, resume=False)
    assert len(steps) == result.outcome.steps
    assert found(model, result) == expected


def test_a_run_out_of_steps_goes_on_with_more(tmp_path):
    def plan(count):
        block = TimeBlock(max_steps=count, first_step="0.01 s")
        return programme(block, [StepBlock(do="rest", duration="20 s")])

    mine = identity()
    with pytest.raises(StepError, match=r"max_steps.*goes on from .*checkpoint-.\.npz"):
        run_in_time(Oscillator(), plan(30), tmp_path, mine, quiet=True)
    model = Oscillator()
    result = run_in_time(model, plan(10000), tmp_path, mine, quiet=True)
    assert result.resumed == 30
    whole = Oscillator()
    run_in_time(whole, plan(10000), tmp_path / "other", mine, quiet=True)
    assert model.x.tolist() == whole.x.tolist()
