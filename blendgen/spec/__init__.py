"""Spec: what may vary. YAML in, a frozen and checked Spec out."""
