"""What the Hugging Face Hub's files say of their columns, beside Arrow's own types."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa


def hub_features(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """Return the features of the columns by name; none where the file keeps none that can be read."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = dict(about["info"]["features"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}


def columns_of_type(schema: pa.Schema, kind: str) -> list[str]:
    """Return the columns of a feature type, such as `Image` or `ClassLabel`."""
    found = hub_features(schema).items()
    return [name for name, feature in found if feature.get("_type") == kind and name in schema.names]
