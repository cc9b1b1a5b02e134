"""Detection: detectors trained on data sets and on photos with boxes, and what they are worth.

Reads data sets and photos, never the pipeline. Detectors run in onnxruntime (extra `features`); torch trains
them (extra `learn`).
"""
