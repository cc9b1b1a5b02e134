"""What a notebook or a script calls. Each command but schema and doctor is options and one of these calls.

In: paths and plain values. Out: values, arrays and Datasets. A failure raises a BlendgenError. Nothing is
printed: warnings go to the logger "blendgen". The modules behind a function are loaded when it is called.
"""

from blendgen.api.ci import smoke
from blendgen.api.datasets import (
    diff,
    export,
    merge,
    mix,
    open_dataset,
    report,
    status,
    subset,
    verify,
    watch,
)
from blendgen.api.detection import detect, train_detector
from blendgen.api.experiments import probe, select, tune
from blendgen.api.farms import generate_on, kubernetes_manifest, openjd_bundle, slurm_script
from blendgen.api.learning import classify, classify_frames, evaluate, quantize, refine, train
from blendgen.api.matching import compare, match
from blendgen.api.models import create_sidecar, inspect_models, models_sheet
from blendgen.api.specs import (
    Sampled,
    check,
    generate,
    generate_rows,
    load_spec,
    preview,
    sample,
    watch_preview,
)
from blendgen.api.starting import create_spec

__all__ = [
    "Sampled",
    "check",
    "classify",
    "classify_frames",
    "compare",
    "create_sidecar",
    "create_spec",
    "detect",
    "diff",
    "evaluate",
    "export",
    "generate",
    "generate_on",
    "generate_rows",
    "inspect_models",
    "kubernetes_manifest",
    "load_spec",
    "match",
    "merge",
    "mix",
    "models_sheet",
    "open_dataset",
    "openjd_bundle",
    "preview",
    "probe",
    "quantize",
    "refine",
    "report",
    "sample",
    "select",
    "slurm_script",
    "smoke",
    "status",
    "subset",
    "train",
    "train_detector",
    "tune",
    "verify",
    "watch",
    "watch_preview",
]
