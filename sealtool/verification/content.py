"""What a sealed file holds besides its seal: pages, links, attachments, and nothing that acts by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from sealtool.model import RECORD_ATTACHMENT_NAME
from sealtool.verification.objects import entries, lookup, resolve
from sealtool.verification.reasons import Objection, ReasonCode

MAX_PAGES = 200
_MAX_NODES = 5000
_LINK_ACTIONS = frozenset({"/URI", "/GoTo"})
# Layers (ISO 32000-2, 8.11) may show one text on the screen and print another.
_ACTING_CATALOG_KEYS = ("/OpenAction", "/AA", "/Collection", "/OCProperties")
_ACTING_NAMES = ("/JavaScript", "/AlternatePresentations", "/Renditions")


@dataclass(frozen=True, slots=True)
class Content:
    """What was found in a file that holds nothing it must not hold.

    Attributes:
        records: the bytes of every attachment that is, or passes itself off as, the certificate's record.
    """

    pages: int
    records: tuple[bytes, ...]


def read_content(sealed: PdfFileReader, seal_number: int, objections: Callable[[Objection], None]) -> Content:
    """Reads the file as it was sealed; objections to what it must not hold go to ``objections``."""
    root = sealed.root
    for objection in (*_acting_entries(root), *_acting_outline(root)):
        objections(objection)
    pages = 0
    for page in _nodes(root["/Pages"], "/Kids"):
        # what has no children is a page to every program, whatever it calls itself
        if lookup(page, "/Type") == "/Page" or "/Kids" not in page:
            pages += 1
            for objection in _page(page, seal_number):
                objections(objection)
    if not 0 < pages <= MAX_PAGES:
        raise Objection(ReasonCode.UNREADABLE, f"It has {pages} pages.")
    return Content(pages, tuple(_records(root)))


def _acts(where: str) -> Objection:
    return Objection(ReasonCode.ACTIVE_CONTENT, f"It is in {where}.")


def _acting_entries(root: generic.DictionaryObject) -> Iterator[Objection]:
    for key in _ACTING_CATALOG_KEYS:
        if key in root:
            yield _acts(f"the catalogue ({key})")
    names = lookup(root, "/Names", {})
    for key in _ACTING_NAMES:
        if key in names:
            yield _acts(f"the names ({key})")


def _acting_outline(root: generic.DictionaryObject) -> Iterator[Objection]:
    outlines = lookup(root, "/Outlines")
    if isinstance(outlines, generic.DictionaryObject):
        for item in _nodes(outlines, "/First", "/Next"):
            action = lookup(item, "/A")
            if action is not None and (lookup(action, "/S") != "/GoTo" or "/Next" in action):
                yield _acts("a bookmark")


def _page(page: generic.DictionaryObject, seal_number: int) -> Iterator[Objection]:
    if "/AA" in page:
        yield _acts("a page")
    for reference in entries(lookup(page, "/Annots")):
        if isinstance(reference, generic.IndirectObject) and reference.idnum == seal_number:
            if "/AP" in resolve(reference):
                yield from _visible_seal(resolve(reference))
            continue
        yield from _annotation(resolve(reference))


def _visible_seal(widget: generic.DictionaryObject) -> Iterator[Objection]:
    """The seal may be visible (RD 203/2021 art. 20 leaves it open), but it must not act."""
    if "/A" in widget or "/AA" in widget:
        yield _acts("the seal's field")


def _annotation(annotation: generic.DictionaryObject) -> Iterator[Objection]:
    if lookup(annotation, "/Subtype") != "/Link" or "/AP" in annotation:
        yield Objection(ReasonCode.ANNOTATION_UNEXPECTED, f"It is of the kind {lookup(annotation, '/Subtype')}.")
    action = lookup(annotation, "/A")
    harmless = action is None or (lookup(action, "/S") in _LINK_ACTIONS and "/Next" not in action)
    if not harmless or "/AA" in annotation or "/PA" in annotation:
        yield _acts("an annotation")


def _nodes(start: generic.DictionaryObject, *edges: str) -> Iterator[generic.DictionaryObject]:
    """A tree's nodes in order, each once and only so many, whatever the file says."""
    seen: set[int] = set()
    waiting: list[generic.PdfObject] = [start]
    count = 0
    while waiting:
        node = waiting.pop()
        count += 1
        if count > _MAX_NODES:
            raise Objection(ReasonCode.UNREADABLE, "One of its trees is too large.")
        if isinstance(node, generic.IndirectObject):
            if node.idnum in seen:
                raise Objection(ReasonCode.UNREADABLE, "One of its trees runs in a circle.")
            seen.add(node.idnum)
            node = resolve(node)
        if not isinstance(node, generic.DictionaryObject):
            raise Objection(ReasonCode.UNREADABLE, "One of its trees is broken.")
        yield node
        for edge in reversed(edges):
            if edge in node:
                target = node.raw_get(edge)
                many = resolve(target)
                if isinstance(many, generic.ArrayObject):
                    waiting.extend(reversed(list(entries(many))))
                else:
                    waiting.append(target)


def _records(root: generic.DictionaryObject) -> Iterator[bytes]:
    seen: set[int] = set()
    for name, raw in _file_specifications(root):
        specification = resolve(raw)
        number = raw.idnum if isinstance(raw, generic.IndirectObject) else -1
        if number in seen:
            continue
        seen.add(number)
        names = (name, *(str(lookup(specification, key, "")) for key in ("/F", "/UF", "/Desc")))
        if any(candidate.strip().casefold() == RECORD_ATTACHMENT_NAME for candidate in names):
            yield from _embedded(specification)


def _file_specifications(root: generic.DictionaryObject) -> Iterator[tuple[str, generic.PdfObject]]:
    tree = lookup(lookup(root, "/Names", {}), "/EmbeddedFiles")
    if tree is not None:
        for node in _nodes(tree, "/Kids"):
            names = list(entries(lookup(node, "/Names")))
            for name, specification in zip(names[::2], names[1::2], strict=True):
                yield str(resolve(name)), specification
    for specification in entries(lookup(root, "/AF")):
        yield "", specification


def _embedded(specification: generic.DictionaryObject) -> Iterator[bytes]:
    """One file for each distinct stream: programs differ in which of /F and /UF they open."""
    files = specification["/EF"]
    streams = {id(files[key]): files[key] for key in ("/F", "/UF") if key in files}
    for stream in streams.values():
        yield stream.data
