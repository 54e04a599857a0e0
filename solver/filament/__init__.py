"""The thin-filament model: lithium between the faces of a crack, with current, pressure and flow.

What is linear in the bulk is condensed onto the faces once per mesh: the opening that pressure
makes, the potential that current makes, and the stress intensity that pressure makes. What is left
to move in time are a few numbers per node of the faces, coupled by small dense matrices: plain
NumPy, an exact Newton's method and milliseconds per step. That is why a run of some hundred steps,
or a search for the critical current of a flaw, takes seconds however fine the mesh of the body is.
"""
