"""What the events tell, read from the first to the last: how the tables must look if nobody else wrote in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from sqlalchemy import Row

from sealtool.canonical import canonical_json
from sealtool.ledger.values import ActKind, CertificateState, RunState

STATES: Final[Mapping[str, CertificateState]] = {
    "reserved": CertificateState.RESERVED,
    "sealed": CertificateState.SEALED,
    "issued": CertificateState.ISSUED,
    "not_published": CertificateState.RESERVED,
    "released": CertificateState.RELEASED,
    "superseded": CertificateState.SUPERSEDED,
    "revoked": CertificateState.REVOKED,
}
"""Where an event takes the certificate that it is about."""

_OPEN: Final = frozenset({RunState.RUNNING, RunState.INTERRUPTED})

_OF_THE_FILE: Final = frozenset({"size", "seal_sha256", "provable_until"})

HASH_OF: Final = "_sha256"
"""A fact of this ending that is no column is the SHA-256 of the column before it."""


@dataclass(slots=True)
class Expected:
    """A row as events tell it.

    Attributes:
        facts: by column; a frozenset holds every value that is right.
        sequence: of the last event that tells of it.
        kind: of that event.
    """

    facts: dict[str, Any]
    sequence: int
    kind: str
    certificate_id: str | None = None


@dataclass(slots=True)
class Told:
    """All that the events tell, by table and key. Feed it every event in order."""

    runs: dict[Any, Expected] = field(default_factory=dict)
    register: dict[Any, Expected] = field(default_factory=dict)
    certificates: dict[Any, Expected] = field(default_factory=dict)
    documents: dict[Any, Expected] = field(default_factory=dict)
    renewals: dict[Any, Expected] = field(default_factory=dict)
    acts: dict[Any, Expected] = field(default_factory=dict)
    unknown: list[tuple[int, str]] = field(default_factory=list)
    """Events of kinds that this sealtool does not know."""

    def follow(self, event: Row[Any]) -> None:
        """Takes one event in."""
        payload = json.loads(event.payload)
        if event.kind in STATES:
            self._certificate(event, payload)
        elif event.kind in self._FOLLOWED:
            self._FOLLOWED[event.kind](self, event, payload)
        else:
            self.unknown.append((event.sequence, event.kind))

    def _certificate(self, event: Row[Any], payload: dict[str, Any]) -> None:
        facts: dict[str, Any] = {"state": STATES[event.kind]}
        match event.kind:
            case "reserved":
                facts |= {**_NOT_YET, "generation": 0, "predecessor_id": None, "reserved_run": event.run_id, **payload}
            case "sealed":
                document = dict(payload)
                if "issued_on" in document:
                    facts["issued_on"] = document.pop("issued_on")
                elif event.certificate_id in self.certificates:  # the events of version 0001 do not tell the day
                    self.certificates[event.certificate_id].facts.pop("issued_on", None)
                self._put(self.documents, document["path"], event, {"certificate_id": event.certificate_id, **document})
            case "issued":
                facts["issued_run"] = event.run_id
            case "not_published":
                self.documents = {
                    path: one for path, one in self.documents.items() if one.certificate_id != event.certificate_id
                }
            case "superseded":
                facts["successor_id"] = payload["successor"]
            case "revoked":
                self._act(event, ActKind.REVOCATION, payload)
        self._put(self.certificates, event.certificate_id, event, facts)

    def _certificate_facts(self, event: Row[Any], payload: dict[str, Any]) -> None:
        self._put(self.certificates, event.certificate_id, event, payload)

    def _successor_issued(self, event: Row[Any], payload: dict[str, Any]) -> None:
        self._put(self.certificates, event.certificate_id, event, {"successor_id": payload["successor"]})

    def _reissue_decided(self, event: Row[Any], payload: dict[str, Any]) -> None:
        facts = {name: payload.pop(name) for name in ("fingerprint", "decision_sha256", "rules_version")}
        replaced = payload.pop("replaces")
        facts |= {"state": CertificateState.RESERVED, "predecessor_id": replaced}
        if event.certificate_id not in self.certificates:  # otherwise a reissue that was stopped got other content
            facts |= {**_NOT_YET, "reserved_run": event.run_id}
            predecessor = self.certificates.get(replaced)
            if predecessor is not None and "generation" in predecessor.facts:  # otherwise its first event is gone
                facts["generation"] = predecessor.facts["generation"] + 1
        self._put(self.certificates, event.certificate_id, event, facts)
        self._act(event, ActKind.REISSUE, payload)

    def _act(self, event: Row[Any], kind: ActKind, payload: dict[str, Any]) -> None:
        key = (event.certificate_id, str(kind))
        upheld = canonical_json(payload.pop("upheld", []))
        facts = {"overruled": None, **payload, "upheld": upheld, "run_id": event.run_id, "decided_at": event.at}
        self._put(self.acts, key, event, facts)

    def _document_facts(self, event: Row[Any], payload: dict[str, Any]) -> None:
        facts = {"certificate_id": event.certificate_id, **{k: v for k, v in payload.items() if k != "replaces"}}
        if event.kind == "renewed":
            self.renewals.pop(payload["path"], None)
            if payload["path"] in self.documents:  # it is another file: what an older event said of it is over
                kept = self.documents[payload["path"]].facts
                self.documents[payload["path"]].facts = {k: v for k, v in kept.items() if k not in _OF_THE_FILE}
        self._put(self.documents, payload["path"], event, facts)

    def _renewal_announced(self, event: Row[Any], payload: dict[str, Any]) -> None:
        self._put(self.renewals, payload["path"], event, {k: v for k, v in payload.items() if k != "replaces"})

    def _renewal_dropped(self, _: Row[Any], payload: dict[str, Any]) -> None:
        self.renewals.pop(payload["path"], None)

    def _run_started(self, event: Row[Any], payload: dict[str, Any]) -> None:
        facts = {**payload, "sources": canonical_json(payload["sources"]), "started_at": event.at, "state": _OPEN}
        self._put(self.runs, event.run_id, event, {**facts, "finished_at": None, "counts": "{}", **_NO_MANIFEST})

    def _run_ended(self, event: Row[Any], payload: dict[str, Any]) -> None:
        facts = {"state": payload["state"], "counts": canonical_json(payload["counts"]), "finished_at": event.at}
        self._put(self.runs, event.run_id, event, facts)

    def _run_rebuilt(self, event: Row[Any], payload: dict[str, Any]) -> None:
        run_id = payload.pop("run_id")
        self._put(self.runs, run_id, event, payload)

    def _manifest_announced(self, event: Row[Any], payload: dict[str, Any]) -> None:
        self._put(self.runs, event.run_id, event, {"manifest": canonical_json(payload["files"])})

    def _manifest_written(self, event: Row[Any], payload: dict[str, Any]) -> None:
        self._put(self.runs, event.run_id, event, {"manifest_sha256": payload["sha256"]})

    def _manifest_withdrawn(self, event: Row[Any], _: dict[str, Any]) -> None:
        self._put(self.runs, event.run_id, event, dict(_NO_MANIFEST))

    def _register_entered(self, event: Row[Any], payload: dict[str, Any]) -> None:
        self._put(self.register, register_key(payload), event, payload)

    def _register_removed(self, _: Row[Any], payload: dict[str, Any]) -> None:
        self.register.pop(register_key(payload), None)

    def _nothing(self, _: Row[Any], payload: dict[str, Any]) -> None:
        """It tells of no row."""

    def _put(self, table: dict[Any, Expected], key: Any, event: Row[Any], facts: dict[str, Any]) -> None:
        known = table.get(key)
        if known is None:
            table[key] = Expected(facts, event.sequence, event.kind, event.certificate_id)
            return
        known.facts |= facts
        known.sequence, known.kind = event.sequence, event.kind

    _FOLLOWED: ClassVar[Mapping[str, Callable[[Told, Row[Any], dict[str, Any]], None]]] = {
        "run_started": _run_started,
        "run_ended": _run_ended,
        "run_rebuilt": _run_rebuilt,
        "reservation_revised": _certificate_facts,
        "certificate_rebuilt": _certificate_facts,
        "document_rebuilt": _document_facts,
        "renewal_announced": _renewal_announced,
        "renewed": _document_facts,
        "renewal_dropped": _renewal_dropped,
        "provable_until_noted": _document_facts,
        "manifest_announced": _manifest_announced,
        "manifest_written": _manifest_written,
        "manifest_withdrawn": _manifest_withdrawn,
        "reissue_decided": _reissue_decided,
        "successor_issued": _successor_issued,
        "register_entered": _register_entered,
        "register_removed": _register_removed,
        "rebuilt": _nothing,
    }


_NOT_YET: Final[Mapping[str, None]] = {"issued_run": None, "issued_on": None, "successor_id": None}
_NO_MANIFEST: Final[Mapping[str, None]] = {"manifest": None, "manifest_sha256": None}


def register_key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    """What a line of the register is about."""
    return (row["person_id"], row["level"], row["area"])
