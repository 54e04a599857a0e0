"""[time] and [[step]] of a case: what is refused, and with which words."""

import pytest
from pydantic import ValidationError
from ssbmech.config_time import StepBlock, TimeBlock, check_time

PLATE = {"do": "plate", "current_density": "1 mA/cm^2", "duration": "1 h"}


def without(data, *keys, **more):
    return {k: v for k, v in data.items() if k not in keys} | more


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (without(PLATE, "duration"), ["do = 'plate' never ends", "duration or capacity or volt"]),
        ({"do": "rest"}, ["do = 'rest' never ends", "duration, e.g."]),
        ({"do": "hold", "potential": "-1 mV"}, ["never ends", "current_limit"]),
        (without(PLATE, "current_density"), ["do = 'plate' needs current_density"]),
        ({"do": "hold", "duration": "1 h"}, ["do = 'hold' needs potential", "'-20 mV'"]),
        (without(PLATE, do="strip", current_density="-1 mA/cm^2"),
         ["current_density = '-1 mA/cm^2' is not positive", "do = 'plate' turns"]),
        (without(PLATE, current_density="-1 mA/cm^2"), ["do = 'strip' turns the current around"]),
        (without(PLATE, current_density="0 A/m^2"), ["not positive", "do = 'rest' stops it"]),
        (without(PLATE, do="rest"), ["do = 'rest' takes no current_density", "'1 mA/cm^2'"]),
        ({"do": "rest", "duration": "1 h", "capacity": "1 C/m^2"}, ["rest", "takes no capacity"]),
        (without(PLATE, potential="1 mV"), ["takes no potential", "belongs to hold"]),
        ({"do": "hold", "potential": "1 mV", "duration": "1 s", "voltage_limit": "1 V"},
         ["takes no voltage_limit", "belongs to plate and strip"]),
        (without(PLATE, current_limit="1 A/m^2"), ["takes no current_limit", "belongs to hold"]),
        (without(PLATE, capacity="-1 mAh/cm^2"), ["capacity = '-1 mAh/cm^2' is not positive"]),
        (without(PLATE, duration="0 s"), ["'0 s'", "above 0"]),
        (without(PLATE, duration="-1 h"), ["'-1 h'", "above 0"]),
        (without(PLATE, duration=3600), ["3600", "unit"]),
        (without(PLATE, duration="1 mA"), ["1 mA", "time"]),
        (without(PLATE, capacity="1 mAh"), ["1 mAh", "dimension s*A"]),
        (without(PLATE, do="discharge"), ["plate", "strip"]),
        (without(PLATE, currnt="1"), ["Extra inputs"]),
        ({"do": "hold", "potential": "1 mV", "current_limit": "0 A/m^2"}, ["current_limit",
                                                                           "it is a size"]),
    ],
)  # fmt: skip
def test_a_step_that_cannot_be_run(data, words):
    with pytest.raises(ValidationError) as caught:
        StepBlock(**data)
    text = str(caught.value)
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"smallest_step": "1 s", "largest_step": "1 ms"}, ["smallest_step = '1 s' is longer than "
                                                           "largest_step = '1 ms'"]),
        ({"first_step": "2 s", "largest_step": "1 s"}, ["first_step = '2 s'", "largest_step"]),
        ({"smallest_step": "1 min", "first_step": "1 s"}, ["smallest_step = '1 min'"]),
        ({"smallest_step": "0 s"}, ["'0 s'", "above 0"]),
        ({"cycles": 0}, ["cycles", "greater than or equal to 1"]),
        ({"max_steps": 0}, ["max_steps"]),
        ({"checkpoint": 0}, ["checkpoint"]),
        ({"tolerance": 0.0}, ["tolerance"]),
        ({"tolerance": 1.0}, ["tolerance"]),
        ({"contact_limit": 1.0}, ["contact_limit"]),
        ({"stop_at": ["melting"]}, ["extension", "contact_lost"]),
        ({"outputs": -1}, ["0 or more"]),
        ({"outputs": ["1 s", "2 mA"]}, ["2 mA"]),
        ({"first_stp": "1 s"}, ["first_stp"]),
    ],
)  # fmt: skip
def test_a_block_that_cannot_be_run(data, words):
    with pytest.raises(ValidationError) as caught:
        TimeBlock(**data)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("time", "steps", "words"),
    [
        ({}, [], "no programme. Add one or more"),
        ({}, [without(PLATE, "duration", voltage_limit="-1 V")],
         r"time.first_step: required, because only a limit ends step.0"),
        ({"smallest_step": "2 h"}, [PLATE, PLATE],
         r"time.smallest_step: '2 h' is longer than step.0, which takes 3600 s"),
        ({"outputs": ["1 h", "3 h"]}, [PLATE, PLATE],
         r"time.outputs: '3 h' is later than the end of the programme at 7200 s"),
    ],
)  # fmt: skip
def test_a_programme_that_cannot_be_run(time, steps, words):
    with pytest.raises(ValueError, match=words):
        check_time(TimeBlock(**time), [StepBlock(**s) for s in steps])


def test_programmes_that_can():
    check_time(None, [])
    check_time(None, [StepBlock(**PLATE)])
    check_time(TimeBlock(outputs=["2 h"], cycles=2), [StepBlock(**PLATE)])
    limit = StepBlock(**without(PLATE, "duration", voltage_limit="-1 V"))
    check_time(TimeBlock(first_step="1 s", outputs=["99 h"]), [limit])


def test_length_of_a_step():
    assert StepBlock(**PLATE).length == 3600.0
    both = StepBlock(**PLATE, capacity="0.1 mAh/cm^2")
    assert both.length == pytest.approx(360.0, rel=1e-14)
    limit = StepBlock(do="hold", potential="-1 mV", capacity="1 C/m^2")
    assert limit.length is None
