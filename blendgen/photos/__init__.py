"""Photos: folders of photos, and what their pixels say about camera and light. Pure NumPy, no Blender."""
