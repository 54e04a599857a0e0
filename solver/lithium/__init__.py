"""Bodies with lithium that flows: finite elements in time, contact, stack."""
