"""What many judgements have in common, kept once: a folder of a hundred thousand files has a handful of seals.

A judgement comes out of another process, so it brings all of its parts again, half of them about the seal
certificate and those above it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from sealtool.model import Verification


@dataclass(slots=True)
class Sharing:
    """Puts one value in the place of equal ones."""

    _known: dict[Any, Any] = field(default_factory=dict)

    def shared(self, verification: Verification) -> Verification:
        """The same judgement, which shares what it says of the seal and its chain with those before."""
        seal, evidence = verification.seal, verification.evidence
        if seal is not None:
            seal = replace(seal, **{one.name: self._one(getattr(seal, one.name)) for one in fields(seal)})
        if evidence is not None:
            evidence = replace(evidence, certificates=self._one(evidence.certificates))
        return replace(verification, seal=seal, evidence=evidence)

    def _one(self, value: Any) -> Any:
        # exactly these: members of different enumerations may be equal to the same text
        return self._known.setdefault(value, value) if type(value) in {str, tuple} else value
