"""Sidecars: what a YAML file beside a model says of it, checked and applied to the measured product."""
