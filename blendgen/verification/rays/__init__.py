"""Audit: a finished data set's labels against a ray cast that is not the renderer's."""
