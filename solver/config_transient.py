"""Which model a case in time asks for, and what its blocks must fulfil together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ssbmech.config_electro import check_electrodes
from ssbmech.config_time import check_time

if TYPE_CHECKING:
    from ssbmech.config import Case

#: filament: lithium between the faces of a crack; stripping: a lithium electrode in contact, with
#: current; intrusion: the same without current; plating: lithium bonded to the electrolyte, with
#: current; creep: a body that flows under loads alone; front: a reaction layer that grows into the
#: electrolyte on a fixed mesh, with current or without.
Kind = Literal["filament", "stripping", "intrusion", "plating", "creep", "front"]


def kind_of(case: Case) -> Kind:
    """The model of a case with [[step]].

    Raises:
        ValueError: When the blocks ask for none, or for two.
    """
    if case.interphase is not None and case.interphase.front is not None:
        return "front"
    if case.thin_filament is not None:
        if case.contact is not None:
            raise ValueError(
                "contact: a case has either [thin_filament] or [contact]. Leave out one of them"
            )
        return "filament"
    if case.contact is not None:
        return "stripping" if case.electrode else "intrusion"
    if not case.flowing:
        raise ValueError(
            "step: nothing in the case moves in time. Give [thin_filament], [contact], or a "
            'material that flows, e.g. [materials.lithium] set = "Li", flow = { law = "norton" }'
        )
    return "plating" if case.electrode else "creep"


def check_transient(case: Case) -> None:
    """Refuse a case in time whose blocks do not fit together.

    Raises:
        ValueError: With the key, what is given and what is allowed.
    """
    check_time(case.time, case.step)
    if not case.step:
        for name in ("thin_filament", "contact", "stack"):
            if getattr(case, name) is not None:
                raise ValueError(
                    f"{name}: belongs to a case in time, and there is no [[step]]. Add one or "
                    'more, e.g. do = "plate", current_density = "1 mA/cm^2", duration = "1 h"'
                )
        if case.flowing:
            raise ValueError(
                f"materials.{case.flowing[0]}.flow: a material flows in time, and there is no "
                "[[step]]. Leave it out for an elastic body, or add a programme"
            )
        return
    kind = kind_of(case)
    _check_events(case, kind)
    if case.filament is not None:
        raise ValueError(
            "filament: its pressure is given, and in a case in time it comes out. Leave it out"
        )
    if case.electrode:
        check_electrodes(case.electrochemistry is not None, driven_case(case).electrode)
    elif kind == "filament" or any(step.do != "rest" for step in case.step):
        raise ValueError(
            "electrode: the programme asks for a current, and no [[electrode]] is given. Allowed: "
            'electrodes, or steps with do = "rest"'
        )


#: Events that a model has a monitor for.
_EVENTS = {
    "extension": ("filament",),
    "contact_lost": ("stripping", "intrusion"),
    "cracking": ("front",),
}


def _check_events(case: Case, kind: Kind) -> None:
    for event in case.time.stop_at if case.time is not None else []:
        if kind not in _EVENTS[event]:
            allowed = [name for name, kinds in _EVENTS.items() if kind in kinds]
            raise ValueError(
                f"time.stop_at: {event!r} cannot happen in this case, a {kind}. Allowed: "
                + (", ".join(allowed) or "none; leave it out")
            )


def counter_of(case: Case) -> int:
    """Number of the counter electrode.

    That of [time] counter, or the only one without kinetics, or the last.

    Raises:
        ValueError: For a name that no electrode has.
    """
    name = None if case.time is None else case.time.counter
    groups = [e.groups for e in case.electrode]
    if name is not None:
        found = [i for i, g in enumerate(groups) if name in g]
        if not found:
            known = ", ".join(g for group in groups for g in group)
            raise ValueError(f"time.counter: no electrode has the group {name!r}. Allowed: {known}")
        return found[0]
    plain = [i for i, e in enumerate(case.electrode) if e.kinetics == "none"]
    return plain[0] if len(plain) == 1 else len(groups) - 1


def driven_case(case: Case) -> Case:
    """The case with its counter electrode driven, as the programme will (by any current).

    Raises:
        ValueError: For an electrode that is driven by itself.
    """
    for i, electrode in enumerate(case.electrode):
        if electrode.is_driven:
            raise ValueError(
                f"electrode.{i}: its potential or current is given, and the programme in [[step]] "
                "gives them. Leave it out"
            )
    counter = counter_of(case)
    drive = {"plating_current_density": "-1 mA/cm^2"}
    electrodes = [
        e.model_copy(update=drive) if i == counter else e for i, e in enumerate(case.electrode)
    ]
    return case.model_copy(update={"electrode": electrodes})
