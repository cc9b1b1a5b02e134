"""Rays: the labels of a finished data set against a ray cast that does not use the renderer."""
