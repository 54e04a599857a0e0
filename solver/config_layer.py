"""What a case must fulfil whose electrodes carry the reaction layer of ``[interphase]``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ssbmech import units
from ssbmech.config_electro import block_of

if TYPE_CHECKING:
    from ssbmech.config import Case


def check_layers(case: Case) -> bool:
    """Refuse layers on electrodes that would mean nothing.

    Returns:
        Whether an electrode carries the layer.

    Raises:
        ValueError: With the key, what is given and what is allowed.
    """
    numbers = [i for i, e in enumerate(case.electrode) if e.layer]
    if not numbers:
        return False
    first = f"electrode.{numbers[0]}.layer"
    block = case.interphase
    if block is None:
        raise ValueError(
            f"{first}: true, and there is no [interphase] that says how the layer grows. Add it, "
            'e.g. law = "parabolic", growth_constant = "1e-18 m^2/s", ionic_conductivity = '
            '"1e-7 S/cm", or leave layer out'
        )
    if block.front is not None:
        raise ValueError(
            f"{first}: the layer of [interphase.front] is computed with its front, and resists "
            "there. Leave out one of them"
        )
    if block.grown is not None:
        raise ValueError(
            f"{first}: the layer of [interphase.grown] is drawn and pushes, and currents are not "
            "computed on it. Leave out one of them"
        )
    _check_electrodes(case, numbers)
    _check_block(case)
    if case.step:
        _check_in_time(case, numbers)
    return True


def _check_electrodes(case: Case, numbers: list[int]) -> None:
    for i in numbers:
        voltage = case.electrode[i].open_circuit_voltage
        if units.quantity(voltage, "potential") != 0.0:
            raise ValueError(
                f"electrode.{i}.layer: lithium and the electrolyte make the layer, and an "
                f"electrode at {voltage!r} against lithium is not lithium. Allowed: an "
                "open_circuit_voltage of 0 V"
            )


def _check_block(case: Case) -> None:
    block = case.interphase
    assert block is not None
    if block.ionic_conductivity is None:
        raise ValueError(
            "interphase.ionic_conductivity: not given, and the resistance of a layer on an "
            "[[electrode]] is its thickness over it. Give it, e.g. '1e-7 S/cm'"
        )
    if block.law == "miec" and "interface_resistance" in block.model_fields_set:
        raise ValueError(
            "interphase.interface_resistance: of a layer on an [[electrode]] it is the electrode's "
            "own resistance. Leave it out"
        )
    if block.stress is not None:
        raise ValueError(
            "interphase.stress: stress does not act on the growth of a layer on an [[electrode]]. "
            "Leave it out"
        )
    if block.ranges:
        raise ValueError(
            "interphase.ranges: nothing is sampled in a run with currents. Leave it out, and vary "
            "the value with --set"
        )
    T, other = block.temperature, block_of(case.electrochemistry).temperature
    if not math.isclose(
        units.quantity(T, "temperature"), units.quantity(other, "temperature"), rel_tol=1e-9
    ):
        raise ValueError(
            f"interphase.temperature: {T!r}, and electrochemistry.temperature is {other!r}. "
            "Allowed: the same"
        )


def _check_in_time(case: Case, numbers: list[int]) -> None:
    from ssbmech.config_transient import counter_of, kind_of

    assert case.interphase is not None
    if case.interphase.aging == "current":
        raise ValueError(
            "interphase.aging: 'current' in a case in time, where the currents are those of the "
            "[[step]]s, and age lies before them. Allowed: rest"
        )
    counter = counter_of(case)
    if counter in numbers and kind_of(case) == "filament":
        raise ValueError(
            f"electrode.{counter}.layer: it is the counter electrode of a thin filament, which is "
            "condensed with the electrolyte and stays as it is. Leave it out, or name the other "
            "electrode in [time] counter"
        )
