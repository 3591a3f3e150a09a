"""The operations, one file per family; each stands beside its rules."""
