"""blendgen: a YAML scene spec and a folder of 3D models in, labelled images out."""

__version__ = "0.1.0"
