"""Looking into the JSON of a seal from within a query, in the words of each database."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String


class valid_until(FunctionElement[str]):  # noqa: N801 - it reads as a function in queries
    """The end of the seal certificate, from the text that ``documents.seal`` holds."""

    type = String()
    inherit_cache = True


@compiles(valid_until, "sqlite")
def _for_sqlite(element: valid_until, compiler: Any, **options: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **options)}, '$.valid_until')"


@compiles(valid_until, "postgresql")
def _for_postgresql(element: valid_until, compiler: Any, **options: Any) -> str:
    return f"(({compiler.process(element.clauses, **options)})::json ->> 'valid_until')"
