"""The engine that uses Blender, and all that imports bpy.

- session: one process of Blender: its scene, models, lights, camera, render passes
- importing: model files -> assets that were measured
- surfaces, wear, shading: surfaces, marks of use, and the materials that they share
- phones, clutter: built-in models
"""
