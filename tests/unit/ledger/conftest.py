import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sealtool.ledger import Ledger, Reservation, RunFacts, SealedDocument, create_ledger, open_ledger
from sealtool.model import (
    Area,
    CertificateId,
    CoveredArea,
    Decision,
    Language,
    Level,
    Person,
    PersonId,
    Procedure,
    RunId,
    SourceFile,
)
from tests.ledgers import Place, postgresql_place, sqlite_place

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
RUN = RunId("20260302T030000Z-000001")
FACTS = RunFacts("issue B1", "0.1.0", "2025-10-27", "ab" * 32, (SourceFile("people.csv", "cd" * 32, 10),))


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with an empty ledger, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "ledger.sqlite"
    create_ledger(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_place(request: pytest.FixtureRequest) -> Place:
    """A place with an empty ledger in it."""
    if request.param == "postgresql":
        cluster, template = request.getfixturevalue("cluster"), request.getfixturevalue("empty_ledger")
        return postgresql_place(cluster, template)
    folder = request.getfixturevalue("tmp_path")
    shutil.copy(request.getfixturevalue("empty_file"), folder / "ledger.sqlite")
    return sqlite_place(folder)


@pytest.fixture
def ledger(ledger_place: Place) -> Iterator[Ledger]:
    with open_ledger(ledger_place.url) as ledger:
        ledger.begin_run(RUN, FACTS, at=NOW)
        yield ledger


@pytest.fixture
def decide() -> Callable[..., Decision]:
    def make(person_id: str = "10000000P", level: Level = Level.B1, day: date = date(2025, 3, 12)) -> Decision:
        return Decision(
            person=Person(PersonId(person_id), "Aina", "Fictícia"),
            level=level,
            area=None,
            accredited_on=day,
            procedures=(Procedure.TEST,),
            areas=tuple(CoveredArea(area, day, Procedure.TEST) for area in Area),
            rules_version="2025-10-27",
        )

    return make


@pytest.fixture
def reserve(ledger: Ledger, decide: Callable[..., Decision]) -> Callable[[str, str], Reservation]:
    def make(certificate_id: str, person_id: str = "10000000P") -> Reservation:
        reservation = Reservation(CertificateId(certificate_id), decide(person_id))
        ledger.reserve(RUN, [reservation], at=NOW)
        return reservation

    return make


def sealed(certificate_id: str) -> SealedDocument:
    return SealedDocument(
        certificate_id=CertificateId(certificate_id),
        path=f"2026/B1/{certificate_id}.pdf",
        sha256="ef" * 32,
        size=1000,
        pages=2,
        languages=tuple(Language),
        issued_on=date(2026, 3, 2),
        seal={},
    )
