"""Mechanics of solid-state battery interfaces: stress, K, J and the Porz margin at lithium filaments."""

__version__ = "0.1.0"
