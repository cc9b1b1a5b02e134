"""Matching: from photos to a spec of their camera, light and surface; how renders differ from photos."""
