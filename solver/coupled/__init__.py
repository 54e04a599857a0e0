"""Models in time that join parts of the solver: lithium, contact, ion conduction."""
