"""Features: the types of columns as Hugging Face datasets describes them, in JSON and in a card.

A feature is a dict in the JSON form of `datasets.Features.to_dict()`, a struct a dict of features by name.
"""

from __future__ import annotations

import json
from typing import Any

Feature = dict[str, Any]
IMAGE: Feature = {"_type": "Image"}


def value(dtype: str) -> Feature:
    return {"dtype": dtype, "_type": "Value"}


def lists(feature: Feature, **length: int) -> Feature:
    return {"feature": feature, **length, "_type": "List"}


TEXT, INTEGER, NUMBER, FLAG = map(value, ("string", "int64", "float64", "bool"))
_MAX_INTEGER = 2**63 - 1


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


def feature_of(one: Any) -> Feature | None:
    """The feature of a value of JSON; None for null. Objects are text: their JSON."""
    if one is None:
        return None
    if isinstance(one, bool):
        return FLAG
    if isinstance(one, int):
        return INTEGER if abs(one) <= _MAX_INTEGER else TEXT
    if isinstance(one, float):
        return NUMBER
    if isinstance(one, list | tuple):
        inner = None
        for part in one:
            inner = merged(inner, feature_of(part))
        return {"feature": inner, "_type": "List"}
    return TEXT


def merged(one: Feature | None, other: Feature | None) -> Feature | None:
    """A feature that holds the values of both: text for values that have nothing in common."""
    if one is None or other is None or one == other:
        return one or other
    if one["_type"] == other["_type"] == "List":
        return {"feature": merged(one["feature"], other["feature"]), "_type": "List"}
    return NUMBER if one in (INTEGER, NUMBER) and other in (INTEGER, NUMBER) else TEXT


def is_blank_list(one: Feature | None) -> bool:
    """Whether the values are lists, of lists or not, without any value in them."""
    if one is None or one["_type"] != "List":
        return False
    return one["feature"] is None or is_blank_list(one["feature"])


def complete(one: Feature | None) -> Feature:
    """The feature, with text in place of what no row has a value for."""
    if one is None:
        return TEXT
    return lists(complete(one["feature"])) if one["_type"] == "List" else one


def typed(one: Any, feature: Feature) -> Any:
    """A value in the type of a feature that holds it: a number as float, or anything as JSON in a text."""
    if one is None:
        return None
    if feature["_type"] == "List":
        return [typed(part, feature["feature"]) for part in one]
    if feature == NUMBER:
        return float(one)
    return json.dumps(one, ensure_ascii=False) if feature == TEXT and not isinstance(one, str) else one
