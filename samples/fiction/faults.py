"""The faults planted in an export, so that everybody sees what happens to them.

Each touches one row and the person it names (the activity with two different hours: the three people in it).
Activities of planted rows have ids of their own from ACT-900001, so that no fault reaches anybody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from fiction.export import ACCREDITATION_COLUMNS, TRAINING_COLUMNS, Export, ExportFile
from fiction.people import UNREGISTERED_DNI, UNREGISTERED_NIE, FictitiousPerson, dni, nie, with_wrong_letter

_FIRST_OWN_ACTIVITY = 900_001

_SOUND_TRAINING = {
    "title": "Aula virtual Moodle: disseny de cursos",
    "modality": "course",
    "hours": "20",
    "start_date": "2025-01-13",
    "end_date": "2025-03-10",
    "completed_on": "2025-03-14",
    "role": "participant",
    "origin": "organised",
    "indicators": "3.1.B1.1 3.2.B1.2",
}
_SOUND_GRANT = {"level": "B1", "area": "", "procedure": "test", "granted_on": "2025-05-20", "observacions": ""}

_IN_PEOPLE = {
    "wrong_check_letter": "person_id",
    "wrong_check_letter_nie": "person_id",
    "two_different_rows": "person_id",
    "too_many_fields_person": "",
    "no_given_name": "given_name",
}
"""Fault → the column it stands in, empty where the whole row is meant."""

_IN_TRAINING: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "hours_no_number": ("hours", {"hours": "abc"}),
    "no_such_day": ("completed_on", {"completed_on": "31/02/2025"}),
    "unknown_indicator": ("indicators", {"indicators": "1.1.B1.1 1.9.B1.1"}),
    "unknown_modality": ("modality", {"modality": "webinar"}),
    "unknown_role": ("role", {"role": "listener"}),
    "completed_before_start": ("completed_on", {"completed_on": "2025-01-10"}),
    "day_in_the_future": ("completed_on", {"completed_on": "2099-03-14"}),
    "not_in_people": ("person_id", {}),
    "wrong_check_letter_training": ("person_id", {}),
    "too_many_fields": ("", {}),
    # Same activity on three rows, one of them with other hours. The rows agree up to the last.
    "hours_agree_1": ("hours", {"hours": "30"}),
    "hours_agree_2": ("hours", {"hours": "30,0"}),
    "hours_differ": ("hours", {"hours": "20"}),
}

_IN_ACCREDITATIONS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "degree_at_b1": ("procedure", {"procedure": "degree"}),
    "test_at_c1": ("procedure", {"level": "C1"}),
    "c2_without_area": ("area", {"level": "C2", "procedure": "evidence"}),
    "unknown_level": ("level", {"level": "B3"}),
    "area_seven": ("area", {"area": "7"}),
}

FAULTS = (*_IN_PEOPLE, *_IN_TRAINING, *_IN_ACCREDITATIONS)
_NO_FAULT_YET = {"hours_agree_1", "hours_agree_2"}
_CONFLICT = ("hours_agree_1", "hours_agree_2", "hours_differ")
_STANDS_ALONE = set(_IN_PEOPLE) - {"two_different_rows"}


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """Where a fault stands, and whose certificates it stops.

    Attributes:
        fault: what kind it is.
        file: name of the file.
        line: the header being 1.
        column: its canonical name, empty where the whole row is meant.
        holds: ids as they stand in the files; the last one stands in the faulty row.
    """

    fault: str
    file: str
    line: int
    column: str
    holds: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The fault as plain values."""
        return asdict(self)


class FaultPlanter:
    """Spreads the faults evenly over the people and writes them."""

    def __init__(self, export: Export, people: int, rounds: int) -> None:
        self._export = export
        self._plan = _spread(FAULTS * rounds, people)
        self._own_activities = 0
        self._ghosts = 0
        self._in_conflict: list[str] = []
        self.planted: list[PlantedFault] = []

    def fault_of(self, index: int) -> str | None:
        """The fault planned for the person of this number, mostly none."""
        return self._plan.get(index)

    def keeps_other_rows(self, fault: str | None) -> bool:
        """Whether the person may stand in the other files without more faults than the one planned."""
        return fault not in _STANDS_ALONE

    def write_person(self, person: FictitiousPerson, fault: str | None) -> None:
        """Write the row of people.csv, with its fault where one is planned."""
        file, row = self._export.people, person.row
        match fault:
            case "wrong_check_letter" | "wrong_check_letter_nie":
                row[0] = with_wrong_letter(self._unregistered_nie() if fault.endswith("nie") else row[0])
                file.write_row(row)
            case "two_different_rows":
                file.write_row(row)
                row[2] = f"{row[2]} Ferrando"
                file.write_row(row)
            case "too_many_fields_person":
                row[2] += ";"  # a surname typed with a semicolon
                file.write_line(file.separator.join(row))
            case "no_given_name":
                row[1] = ""
                file.write_row(row)
            case _:
                file.write_row(row)
                return
        self._note(fault, file, _IN_PEOPLE[fault], (row[0],))

    def write_other_rows(self, person: FictitiousPerson, fault: str | None) -> None:
        """Write what the fault adds to training.csv or accreditations.csv."""
        if fault is None:
            return
        if fault in _IN_TRAINING:
            self._write_training(person, fault)
        elif fault in _IN_ACCREDITATIONS:
            column, changes = _IN_ACCREDITATIONS[fault]
            reference = f"ERR-{len(self.planted) + 1:05d}"
            row = {"person_id": person.person_id, **_SOUND_GRANT, "reference": reference, **changes}
            file = self._export.accreditations
            file.write_row(row[name] for name in (*ACCREDITATION_COLUMNS, "observacions"))
            self._note(fault, file, column, (person.person_id,))

    def _write_training(self, person: FictitiousPerson, fault: str) -> None:
        column, changes = _IN_TRAINING[fault]
        if fault not in ("hours_agree_2", "hours_differ"):
            self._own_activities += 1
        row = {
            "person_id": self._whom_it_names(person.person_id, fault),
            "activity_id": f"ACT-{_FIRST_OWN_ACTIVITY + self._own_activities - 1:06d}",
            **_SOUND_TRAINING,
            **changes,
        }
        file = self._export.training
        fields = [row[name] for name in TRAINING_COLUMNS]
        if fault == "too_many_fields":
            fields[2] = "Dubtes, preguntes i respostes sobre Moodle"  # a comma, and nobody quoted it
            file.write_line(file.separator.join(fields))
        else:
            file.write_row(fields)
        holds: tuple[str, ...] = (row["person_id"],)
        if fault == "wrong_check_letter_training":
            # Whoever has the same number may be meant: while that is open, nothing is issued to them either.
            holds = (person.person_id, row["person_id"])
        if fault in _CONFLICT:
            self._in_conflict.append(row["person_id"])
            holds = tuple(self._in_conflict[-3:])
        if fault not in _NO_FAULT_YET:
            self._note(fault, file, column, holds)

    def _whom_it_names(self, person_id: str, fault: str) -> str:
        match fault:
            case "not_in_people":
                self._ghosts += 1
                return dni(UNREGISTERED_DNI + self._ghosts)
            case "wrong_check_letter_training":
                return with_wrong_letter(person_id)
            case _:
                return person_id

    def _unregistered_nie(self) -> str:
        self._ghosts += 1
        return nie("Y", UNREGISTERED_NIE + self._ghosts)

    def _note(self, fault: str, file: ExportFile, column: str, holds: tuple[str, ...]) -> None:
        self.planted.append(PlantedFault(fault, file.name, file.line, column, holds))


def _spread(faults: tuple[str, ...], people: int) -> dict[int, str]:
    """Number of a person → fault, at even distances; nothing where there are too few people for all."""
    if people < 2 * len(faults):
        return {}
    return {(number + 1) * people // (len(faults) + 1): fault for number, fault in enumerate(faults)}
