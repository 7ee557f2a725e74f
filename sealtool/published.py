"""JSON documents of which a schema is published: their models are the format, and the schema is made from them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A document, or a part of one."""

    # Built when one is first made or read: the parts of a document with it, and not each by itself as well.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def schema_of(document: type[Part], name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document by its name and version, ``manifest:1``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:sealtool:{name}",
        **document.model_json_schema(mode="serialization"),
    }
