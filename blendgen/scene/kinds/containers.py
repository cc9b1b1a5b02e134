"""Open boxes that products lie in, by the value of `container.kind`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerKind:
    """One kind of container.

    doc: its line in the documentation
    wall_m: thickness of its walls and of its bottom
    colors_srgb: its usual colours, equally likely
    """

    name: str
    doc: str
    wall_m: float
    colors_srgb: tuple[str, ...]


_KINDS = (
    ContainerKind(
        "tote",
        "stacking box of injection-moulded plastic",
        0.003,
        ("#3a4046", "#2456a0", "#a3261f", "#b9b7ae", "#2f6b46"),
    ),
    ContainerKind(
        "cardboard_box", "open box of corrugated cardboard", 0.004, ("#b08a5c", "#a67c4e", "#c09a6c")
    ),
    ContainerKind("steel_tray", "tray of folded sheet steel", 0.0015, ("#9a9b9b", "#a5a39f")),
)
CONTAINER_KINDS = {kind.name: kind for kind in _KINDS}
