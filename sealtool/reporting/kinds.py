"""What is wrong with an export, in kinds: the words of a problem may quote the registry, and a kind never does."""

from __future__ import annotations

from typing import Final

from sealtool.model import Problem

OTHER: Final = "something else"

KINDS: Final = (
    ("This is empty", "nothing where something has to be"),
    ("This is neither a DNI", "no DNI and no NIE"),
    ("This does not add up", "a control letter that does not fit"),
    ("This is not in people.csv", "a person who is not in people.csv"),
    ("The same person stands", "one person in two ways"),
    ("The row has", "a wrong number of cells"),
    (" of the activity ", "one activity in two ways"),
    (", which looks alike", "activities whose ids look alike"),
    ("This is where the file ends", "a file that may be cut short"),
    ("with another id:", "a person who may have another id by now"),
    ("This is not a date", "no date"),
    ("This may have the month first", "a date whose day and month may be exchanged"),
    ("This is no day", "no date"),
    ("so the year must be wrong", "an impossible year"),
    ("This is in the future", "a day in the future"),
    ("This is before the start_date", "an end before the start"),
    ("This is no number of hours", "no number of hours"),
    ("This is not more than zero hours", "no number of hours"),
    ("This is no area", "no area"),
    ("This is none by which", "a procedure that does not grant the level"),
    ("This is none of", "a word that means nothing here"),
    (", which is no indicator", "no indicator"),
    (" competences", "a competence that does not exist"),
    ("mangled on the way", "letters lost to a wrong encoding"),
    ("where a letter was lost", "letters lost to a wrong encoding"),
    ("that cannot be printed", "a character that cannot be printed"),
    (", one sign for", "one sign for several letters"),
    ("of several alphabets", "letters of several alphabets"),
    ("The name cannot be printed as it stands", "a name that does not come out right on the page"),
    ("and no part of a name has more", "a name that is too long"),
    ("so it is no name", "a name without letters"),
    ("in the place of a name", "a word or a remark in the place of a name"),
)
"""Words that a message of each kind has, and no other before it; and what the kind is called."""


def kind_of(problem: Problem) -> str:
    """What kind of problem it is. No word of the result comes from the registry."""
    # What is quoted stands behind the words that tell the kind, or could at worst make it another one of these.
    return next((kind for words, kind in KINDS if words in problem.message), OTHER)
