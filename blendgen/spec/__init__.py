"""Spec: what may vary. YAML in, a frozen checked Spec out."""
