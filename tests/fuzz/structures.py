"""Structural changes: to the tree of a DER message, and to the objects and tokens of a PDF."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.pki.tampering import contents_gap, raw_update

# --- DER ------------------------------------------------------------------------------------

_CONSTRUCTED = 0x20
_LONG_LENGTH = 0x80
_TAGS = (0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x17, 0x30, 0x31, 0x80, 0xA0, 0xA1, 0xA2)


@dataclass(frozen=True)
class Node:
    """One element of a DER message: its tag, and either its children or its content."""

    tag: int
    children: tuple[Node, ...] = ()
    content: bytes = b""

    def encoded(self) -> bytes:
        content = b"".join(child.encoded() for child in self.children) if self.tag & _CONSTRUCTED else self.content
        return _with_header(self.tag, content)


def _with_header(tag: int, content: bytes) -> bytes:
    if len(content) < _LONG_LENGTH:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, _LONG_LENGTH | len(size))) + size + content


def parsed(der: bytes) -> Node:
    """The first element of ``der``; what stands behind it is left out."""
    return _element(der, 0)[0]


def _element(der: bytes, start: int) -> tuple[Node, int]:
    tag, length, position = der[start], der[start + 1], start + 2
    if length & _LONG_LENGTH:
        size = length & ~_LONG_LENGTH
        length, position = int.from_bytes(der[position : position + size]), position + size
    end = position + length
    if not tag & _CONSTRUCTED:
        return Node(tag, content=der[position:end]), end
    children = []
    while position < end:
        child, position = _element(der, position)
        children.append(child)
    return Node(tag, tuple(children)), end


def _paths(node: Node, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    inner = [below for index, child in enumerate(node.children) for below in _paths(child, (*path, index))]
    return [path, *inner]


def _at(node: Node, path: tuple[int, ...]) -> Node:
    return node if not path else _at(node.children[path[0]], path[1:])


def _replaced(node: Node, path: tuple[int, ...], *others: Node) -> Node:
    """The same tree with ``others`` in the place of what stands at ``path``."""
    first, rest = path[0], path[1:]
    inner = (_replaced(node.children[first], rest, *others),) if rest else others
    return Node(node.tag, (*node.children[:first], *inner, *node.children[first + 1 :]))


@st.composite
def changed_der(draw: st.DrawFn, der: bytes) -> bytes:
    """One to three elements dropped, doubled, exchanged, retagged, emptied or written over by others."""
    tree = parsed(der)
    for _ in range(draw(st.integers(1, 3))):
        paths = [path for path in _paths(tree) if path]
        path = draw(st.sampled_from(paths))
        here, there = _at(tree, path), _at(tree, draw(st.sampled_from(paths)))
        kind = draw(st.sampled_from(("drop", "double", "overwrite", "retag", "empty", "turn round", "lengthen")))
        match kind:
            case "drop":
                tree = _replaced(tree, path)
            case "double":
                tree = _replaced(tree, path, here, here)
            case "overwrite":
                tree = _replaced(tree, path, there)
            case "retag":
                tag = draw(st.sampled_from(_TAGS))
                tree = _replaced(tree, path, Node(tag, here.children, here.content))
            case "empty":
                tree = _replaced(tree, path, Node(here.tag))
            case "turn round":
                tree = _replaced(tree, path, Node(here.tag, here.children[::-1], here.content[::-1]))
            case "lengthen":
                tree = _replaced(tree, path, here, there)
        if not tree.children:
            break
    return tree.encoded()


def with_message(content: bytes, der: bytes, which: int = 0) -> bytes:
    """A sealed file with another message in the place of its seal (0) or a later time stamp, cut off at its room."""
    start, end = contents_gap(content, which)
    room = end - start - 2
    text = der.hex().upper().encode()[:room]
    return content[: start + 1] + text.ljust(room, b"0") + content[end - 1 :]


def message_of(content: bytes, which: int = 0) -> bytes:
    start, end = contents_gap(content, which)
    return parsed(bytes.fromhex(content[start + 1 : end - 1].decode())).encoded()


def repeated(der: bytes, path: tuple[int, ...], times: int) -> bytes:
    """The message with the element at ``path`` so many times, or not at all."""
    tree = parsed(der)
    return _replaced(tree, path, *[_at(tree, path)] * times).encoded()


def with_other_bytes(der: bytes, old: bytes, new: bytes) -> bytes:
    """The message with other bytes in the place of each such element, DER or not; the lengths around it follow."""

    def written(node: Node) -> bytes:
        encoded = node.encoded()
        if encoded == old:
            return new
        return _with_header(node.tag, b"".join(map(written, node.children))) if old in encoded else encoded

    return written(parsed(der))


def with_long_length(element: bytes) -> bytes:
    """The same element, its length one byte longer than it need be."""
    if element[1] < _LONG_LENGTH:
        return element[:1] + bytes((_LONG_LENGTH | 1,)) + element[1:]
    return element[:1] + bytes((element[1] + 1, 0)) + element[2:]


def with_indefinite_length(element: bytes) -> bytes:
    """The same element of no length, with a mark at its end (X.690, 8.1.3.6)."""
    before = 2 + (element[1] & ~_LONG_LENGTH if element[1] & _LONG_LENGTH else 0)
    return element[:1] + bytes((_LONG_LENGTH,)) + element[before:] + bytes(2)


def with_null_behind(der: bytes, path: tuple[int, ...]) -> bytes:
    """The message with a NULL behind the element at ``path``."""
    tree = parsed(der)
    return _replaced(tree, path, _at(tree, path), Node(0x05)).encoded()


_VERSION_OF_STAMP = Node(0x02, content=b"\x03")  # RFC 5652, 5.1: of what signs anything but data


def _is_certificate(node: Node) -> bool:
    return [child.tag for child in node.children] == [0x30, 0x30, 0x03]


def _certificates(node: Node) -> list[bytes]:
    if _is_certificate(node):
        return [node.encoded()]
    return [found for child in node.children for found in _certificates(child)]


def _essence(node: Node, *, stamped: bool, of_stamp: bool = False) -> Node:
    """The message without what may be otherwise and mean the same: see :func:`means_the_same`."""
    children = node.children
    of_stamp = of_stamp or children[:1] == (_VERSION_OF_STAMP,)
    if of_stamp and [child.tag for child in children] == [0x06, 0x05]:
        children = children[:1]
    if not stamped and children and (children[0].tag, children[-1].tag) == (0x02, 0xA1):
        children = children[:-1]
    if node.tag == 0xA0 and all(map(_is_certificate, children)):
        encoded = [child.encoded() for child in children]
        if of_stamp or encoded == sorted(set(encoded)):
            children = ()
    inner = (_essence(child, stamped=stamped, of_stamp=of_stamp) for child in children)
    return Node(node.tag, tuple(inner), node.content)


def means_the_same(der: bytes, changed: bytes) -> bool:
    """Whether a message differs only in what no signature can protect and no reader could be deceived by.

    These are, of a time stamp, the choice and order of the certificates that it carries (each of them is judged by
    itself) and an absent in place of a NULL parameter (RFC 5754, 2); of a seal, certificates that are left out from the
    top, and a signature time stamp that was taken away, which lowers the level.
    """
    before, after = parsed(der), parsed(changed)
    if not set(_certificates(after)) <= set(_certificates(before)):
        return False
    here = _essence(after, stamped=True)
    return here in (_essence(before, stamped=True), _essence(before, stamped=False))


# --- PDF ------------------------------------------------------------------------------------

_OBJECT = re.compile(rb"(?<![0-9])([0-9]+) 0 obj\n(.*?)\nendobj\n", re.DOTALL)
_TOKEN = re.compile(rb"/[A-Za-z0-9.#]+|-?[0-9]+(?:\.[0-9]+)?|<<|>>|\[|\]|\([^()]*\)|\bR\b|\bnull\b|\btrue\b")


def objects_of(content: bytes) -> list[tuple[int, bytes]]:
    """Numbers and bodies, as they stand in the file."""
    return [(int(match[1]), match[2]) for match in _OBJECT.finditer(content)]


@st.composite
def changed_tokens(draw: st.DrawFn, text: bytes) -> bytes:
    """One to three tokens dropped, doubled or written over by others of the same text."""
    for _ in range(draw(st.integers(1, 3))):
        tokens = list(_TOKEN.finditer(text))
        if not tokens:
            return text
        here, there = draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens))
        kind = draw(st.sampled_from(("drop", "double", "overwrite", "hide")))
        new = {
            "drop": b"",
            "double": here[0] + b" " + here[0],
            "overwrite": there[0],
            "hide": b"%" + here[0] + b"\n",
        }[kind]
        text = text[: here.start()] + new + text[here.end() :]
    return text


@st.composite
def changed_in_place(draw: st.DrawFn, content: bytes) -> bytes:
    """Objects dropped, doubled, exchanged, or with other tokens in them; no table is corrected."""
    spans = [match.span() for match in _OBJECT.finditer(content)]
    (start, end), other = draw(st.sampled_from(spans)), draw(st.sampled_from(spans))
    chunk, another = content[start:end], content[slice(*other)]
    kind = draw(st.sampled_from(("drop", "double", "overwrite", "tokens", "tokens", "tokens")))
    new = {"drop": b"", "double": chunk + chunk, "overwrite": another}.get(kind)
    if new is None:
        new = draw(changed_tokens(chunk))
    return content[:start] + new + content[end:]


@st.composite
def changed_by_update(draw: st.DrawFn, content: bytes, numbers: frozenset[int]) -> bytes:
    """Some of ``numbers`` defined anew in a well-formed update: with other tokens, or as another object."""
    bodies = dict(objects_of(content))
    chosen = draw(st.lists(st.sampled_from(sorted(numbers & set(bodies))), min_size=1, max_size=3, unique=True))
    more = []
    for number in chosen:
        other = bodies[draw(st.sampled_from(sorted(bodies)))]
        body = draw(st.one_of(changed_tokens(bodies[number]), st.just(other), st.just(b"null")))
        more.append((number, body))
    return raw_update(content, more)
