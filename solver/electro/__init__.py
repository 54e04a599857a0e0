"""Currents and potentials: the electric problem, its solution and what follows from them."""
