"""Reaction layers between lithium and the electrolyte, as far as they need no finite elements.

How thick a layer is after a time (`laws`), how far it expands (`expansion`), how stress slows it
(`stress`), what it resists (`resistance`, `two_carrier`), the charge beside an interface
(`space_charge`), and what ranges of the inputs do to an answer (`uncertainty`). NumPy only; SI.
"""
