"""Set-based statements: text with array parameters, one array for each column of a batch."""

from __future__ import annotations

from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine


def arrays(statement: str, **types: type[TypeEngine[Any]] | TypeEngine[Any]) -> TextClause:
    """Return a statement whose named parameters are arrays of the given element types."""
    return text(statement).bindparams(*(bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()))
