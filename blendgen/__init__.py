"""blendgen: a YAML scene spec and a folder of 3D models in, labelled images out.

    import blendgen

    blendgen.generate("scene.yaml", "out")
    for item in blendgen.open_dataset("out"):
        print(item["image"].shape, item["label_id"])

The functions are those of blendgen.api, which is loaded when one of them is used. docs/python.md shows them
at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blendgen.api import (
        check,
        classify,
        classify_frames,
        compare,
        create_sidecar,
        create_spec,
        detect,
        diff,
        evaluate,
        export,
        generate,
        generate_on,
        generate_rows,
        inspect_models,
        kubernetes_manifest,
        load_spec,
        match,
        merge,
        mix,
        models_sheet,
        open_dataset,
        openjd_bundle,
        preview,
        probe,
        quantize,
        refine,
        report,
        sample,
        select,
        slurm_script,
        smoke,
        status,
        subset,
        train,
        train_detector,
        tune,
        verify,
        watch,
        watch_preview,
    )
    from blendgen.errors import (
        BlendgenError,
        CatalogError,
        DatasetError,
        DiskUnavailable,
        FilesLost,
        GeometryError,
        Interrupted,
        LostLookError,
        OutOfMemory,
        SetupError,
        SpecError,
        TimeLimitReached,
        UsageError,
    )

__version__ = "0.1.0"

__all__ = [
    "BlendgenError",
    "CatalogError",
    "DatasetError",
    "DiskUnavailable",
    "FilesLost",
    "GeometryError",
    "Interrupted",
    "LostLookError",
    "OutOfMemory",
    "SetupError",
    "SpecError",
    "TimeLimitReached",
    "UsageError",
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


def __getattr__(name: str) -> Any:
    """Load a public name when it is used: `import blendgen` itself loads nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'blendgen' has no attribute {name!r}")
    from blendgen import api, errors

    return getattr(api if hasattr(api, name) else errors, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
