"""YAML text of plain values, for schedulers: keys in the given order, scripts as blocks, ASCII only."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def yaml_text(*documents: Any) -> str:
    """One or more documents."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=100)
