"""Sidecars: YAML files next to models that describe them; checked, and applied to the measured products."""
