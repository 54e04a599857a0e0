"""Mechanics of solid-state battery interfaces: stress, K, J and the Porz margin."""

__version__ = "0.1.0"
