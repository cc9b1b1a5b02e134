"""Hostile inputs against the real commands: `make attack`. Nothing here is imported by blendgen."""
