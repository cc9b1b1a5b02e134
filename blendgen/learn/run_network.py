"""Run network: what makes features of pictures in a run: its own network, or a frozen backbone.

In: a Run. Out: a Backbone.
"""

from __future__ import annotations

from blendgen.errors import DatasetError
from blendgen.learn.backbones import Backbone, Preprocessing, load_backbone, require_features_extra
from blendgen.learn.run_folder import Run


def network_of(run: Run) -> Backbone:
    """What makes features of pictures in a run: its own network, or the backbone if that stayed frozen."""
    if not run.is_tuned:
        return same_backbone(run)
    require_features_extra()
    wanted = run.record["backbone"]
    expected = Preprocessing(
        **{name: wanted["preprocessing"][name] for name in ("side_px", "mean", "spread")}
    )
    digest = run.model_sha256()
    stated = {name: wanted[name] for name in ("name", "package", "package_version", "license")}
    return Backbone(**stated, weights_sha256=digest, preprocessing=expected, digest=digest, path=run.model)


def same_backbone(run: Run) -> Backbone:
    """The backbone that a run was trained with; raises DatasetError if its weights are others now."""
    wanted = run.record["backbone"]
    backbone = load_backbone(wanted["name"], wanted["preprocessing"]["side_px"])
    if backbone.digest != wanted["digest"]:
        raise DatasetError(
            f"{run.folder}: was trained with other weights of {backbone.name} "
            f"({wanted['package']} {wanted['package_version']}); install these, or train again"
        )
    return backbone
