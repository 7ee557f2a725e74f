"""Writes the published JSON Schemas from the models in the code."""

import json
from pathlib import Path

from sealtool.manifest import json_schema

SCHEMAS = Path(__file__).parent.parent / "docs" / "schemas"

if __name__ == "__main__":
    target = SCHEMAS / "manifest-1.schema.json"
    target.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(target)
