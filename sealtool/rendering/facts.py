"""What a page may say: the order's facts in the plain form that templates use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from sealtool.model import (
    Area,
    CertificateId,
    CertificateOrder,
    CoveredArea,
    Decision,
    Language,
    Level,
    Person,
    PersonId,
    Procedure,
)
from sealtool.rendering.options import RenderingOptions
from sealtool.rendering.qr import QrCode

# The name is the one text whose length nobody can foresee, so its type gets smaller in steps. Bounds in characters of
# the whole name; in capitals it may need a step more, where the page has little room.
_NAME_STEPS = ((30, "name-1"), (42, "name-2"), (72, "name-3"))
_LAST_STEP = "name-4"
_LONGEST_WORD_IN_LARGE_TYPE = 24
_SPECIMEN_NAMES = {
    "name-1": ("Nom Llinatge Apellido", "Aina Segon"),
    "name-2": ("Nom Llinatge Apellido Nom Llinatge", "Aina Segon Aina Segon Aina Segon Aina"),
    "name-3": ("Nom Llinatge Apellido Nom Llinatge Apellido Nom", "Aina Segon Aina Segon Aina Segon Aina Segon Aina"),
    "name-4": ("Nom Llinatgellinatgellinatgell", "Segonasegonasegonasegonasegona"),
}
"""Of each size two, each of which fits into one line."""
_NIE_LETTERS = ("X", "Y", "Z")


def page_facts(
    order: CertificateOrder, options: RenderingOptions, qr: QrCode, *, steps_smaller: int = 0
) -> dict[str, object]:
    """The variables of the templates.

    ``level``, ``area`` (1 to 6, or None), ``full_name``, ``name_size`` (a class of the style sheet), ``id_kind``
    (DNI or NIE), ``person_id``, ``procedures`` (values of :class:`~sealtool.model.Procedure`, in order of
    print), ``accredited_on`` and ``issued_on`` (dates), ``certificate_id``, ``replaces`` (the id of the certificate
    whose place it takes, or None), ``validation_url``, ``marking`` (may be empty), ``qr``.
    """
    decision = order.decision
    return {
        "level": decision.level.value,
        "area": None if decision.area is None else int(decision.area),
        "full_name": decision.person.full_name,
        "name_size": name_sizes(decision.person.full_name)[steps_smaller],
        "id_kind": "NIE" if decision.person.person_id[:1] in _NIE_LETTERS else "DNI",
        "person_id": decision.person.person_id,
        "procedures": [procedure.value for procedure in Procedure if procedure in decision.procedures],
        "accredited_on": decision.accredited_on,
        "issued_on": order.issued_on,
        "certificate_id": order.certificate_id,
        "replaces": order.replaces,
        "validation_url": options.validation_url,
        "marking": options.marking,
        "qr": qr,
    }


def name_sizes(name: str) -> tuple[str, ...]:
    """The size of a name, and the smaller ones for where it does not fit in that."""
    steps = (*(step for _, step in _NAME_STEPS), _LAST_STEP)
    return steps[steps.index(_name_size(name)) :]


def _name_size(name: str) -> str:
    longest_word = max((len(word) for word in name.split()), default=0)
    for bound, step in _NAME_STEPS:
        if len(name) <= bound and longest_word <= _LONGEST_WORD_IN_LARGE_TYPE:
            return step
    return _LAST_STEP


def specimen() -> CertificateOrder:
    """A certificate of nobody with every procedure, to prove templates and fonts before a real one."""
    areas = tuple(
        CoveredArea(area, date(2025, 3, 12), procedure) for area, procedure in zip(Area, Procedure, strict=True)
    )
    decision = Decision(
        person=Person(PersonId("00000000T"), "Nom", "Llinatge", "Apellido"),
        level=Level.B1,
        area=None,
        accredited_on=date(2025, 3, 12),
        procedures=tuple(Procedure),
        areas=areas,
        rules_version="specimen",
    )
    return CertificateOrder(CertificateId("specimen"), decision, date(2025, 10, 27), tuple(Language))


def specimens_like(order: CertificateOrder) -> tuple[CertificateOrder, CertificateOrder]:
    """Two certificates of nobody, of the kind of an order, that differ in all that differs from person to person."""
    first, second = _SPECIMEN_NAMES[_name_size(order.decision.person.full_name)]
    return (
        _of_nobody(order, "specimen", Person(PersonId("00000000T"), first, "", ""), date(2025, 3, 12)),
        _of_nobody(order, "other-specimen", Person(PersonId("Y1111111H"), second, "", ""), date(2024, 10, 30)),
    )


def _of_nobody(order: CertificateOrder, name: str, person: Person, accredited_on: date) -> CertificateOrder:
    areas = tuple(covered._replace(covered_on=accredited_on) for covered in order.decision.areas)
    decision = replace(order.decision, person=person, accredited_on=accredited_on, areas=areas)
    replaced = None if order.replaces is None else CertificateId(f"before-{name}")
    return replace(order, certificate_id=CertificateId(name), decision=decision, replaces=replaced)


def form_of(order: CertificateOrder) -> tuple[object, ...]:
    """What decides on the elements of the pages and their style, the words apart."""
    name_size = _name_size(order.decision.person.full_name)
    return (order.languages, order.decision.area is None, name_size, order.replaces is None)


def kind_of(order: CertificateOrder) -> tuple[object, ...]:
    """What certificates have in common when all else differs from person to person; the form is part of it."""
    decision = order.decision
    words = (decision.level, decision.area, frozenset(decision.procedures), order.issued_on)
    return (*form_of(order), *words)


def specimens() -> Iterator[CertificateOrder]:
    """Orders that together need every word a language has: each month, level, area and procedure, DNI and NIE."""
    order = specimen()
    decision = order.decision
    for month in range(1, 13):
        yield replace(
            order, issued_on=date(2025, month, 1), decision=replace(decision, accredited_on=date(2025, month, 1))
        )
    for level in Level:
        yield replace(order, decision=replace(decision, level=level))
    yield replace(order, replaces=CertificateId("former"))
    for covered in decision.areas:
        person = replace(decision.person, person_id=PersonId("X0000000T"))
        one_area = replace(decision, person=person, level=Level.C2, area=covered.area, areas=(covered,))
        yield replace(order, decision=replace(one_area, procedures=(covered.procedure,)))
