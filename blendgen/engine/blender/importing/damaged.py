"""Damaged: the error for a model file whose content is not what its format asks for. Does not load bpy."""

from __future__ import annotations


class DamagedFile(ValueError):
    """The text is the one line for the user: what is damaged, and where."""
