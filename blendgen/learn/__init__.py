"""Learn: classifiers trained on a finished data set and on photos, and what they are worth on photos.

Reads data sets and photos, never the pipeline. Backbones run in onnxruntime (extra `features`); torch is not
used.
"""
