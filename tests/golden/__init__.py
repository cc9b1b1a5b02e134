"""Golden files: what blendgen makes of fixed inputs, committed and compared whole.

`make golden` writes them all again. Where images, labels or sampled values of the same spec change, raise
PIXELS_VERSION in blendgen/dataset/identity.py too, so that `generate` does not continue a data set with other
bytes.
"""
