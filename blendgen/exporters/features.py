"""Features: the columns of a table as Hugging Face datasets describes them, in JSON and in a card.

A feature is a dict in the JSON form of `datasets.Features.to_dict()`, a struct a dict of features by name.
"""

from __future__ import annotations

from typing import Any

Feature = dict[str, Any]
IMAGE: Feature = {"_type": "Image"}


def value(dtype: str) -> Feature:
    return {"dtype": dtype, "_type": "Value"}


def lists(feature: Feature, **length: int) -> Feature:
    return {"feature": feature, **length, "_type": "List"}


def class_label(names: tuple[str, ...]) -> Feature:
    return {"names": list(names), "_type": "ClassLabel"}


def arrow_type(feature: Feature) -> Any:
    """The pyarrow type of a feature."""
    import pyarrow as pa

    kind = feature.get("_type")
    if kind == "Image":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    if kind == "ClassLabel":
        return pa.int64()
    if kind == "List":
        return pa.list_(arrow_type(feature["feature"]), feature.get("length", -1))
    if kind == "Value":
        return pa.type_for_alias(feature["dtype"])
    return pa.struct([(name, arrow_type(own)) for name, own in feature.items()])


def card_features(features: dict[str, Feature]) -> list[Feature]:
    """The form of `dataset_info` in a card, which the hub reads; as `datasets` itself writes it."""
    return [{"name": name, **_card_feature(feature)} for name, feature in features.items()]


def _card_feature(feature: Feature) -> Feature:
    kind = feature.get("_type")
    if kind == "Image":
        return {"dtype": "image"}
    if kind == "ClassLabel":
        names = {str(number): name for number, name in enumerate(feature["names"])}
        return {"dtype": {"class_label": {"names": names}}}
    if kind == "Value":
        return {"dtype": feature["dtype"]}
    if kind == "List":
        inner = _card_feature(feature["feature"])
        length = {"length": feature["length"]} if "length" in feature else {}
        return {"list": inner["dtype"] if list(inner) == ["dtype"] else inner, **length}
    return {"struct": card_features(feature)}
