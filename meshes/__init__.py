"""Gmsh geometries of Li/SSE interfaces as plain arrays with named groups."""
