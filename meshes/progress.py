"""What a builder is doing, told to whoever listens: a mesh of millions of cells takes minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listeners: list[Callable[[str], None]] = []


def tell(text: str) -> None:
    """Say what is being done now, e.g. ``"volumes: 120 of 200"``; nothing without a listener."""
    if _listeners:
        _listeners[-1](text)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Send every `tell` inside to a listener.

    Args:
        listener: Called with each text.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.pop()
