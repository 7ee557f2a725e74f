"""Writes the published JSON Schemas from the models in the code."""

import json
from pathlib import Path

from sealtool import manifest, standing

SCHEMAS = Path(__file__).parent.parent / "docs" / "schemas"

if __name__ == "__main__":
    for name, schema in {"manifest-1": manifest.json_schema(), "status-1": standing.json_schema()}.items():
        target = SCHEMAS / f"{name}.schema.json"
        target.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(target)
