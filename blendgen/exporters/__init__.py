"""Export: a finished data set -> the files that other programs load. Reads the manifest, never Blender."""
