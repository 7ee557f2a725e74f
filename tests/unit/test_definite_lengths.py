"""What asn1crypto has read with a definite length is written as it was read, whatever the length's last octet."""

import subprocess
import sys

import pytest
from asn1crypto import core, x509

from sealtool.definite_lengths import respect_definite_lengths

respect_definite_lengths()

KIND = core.ObjectIdentifier("2.999.1").dump()
WRITTEN_OUT = b"\x01\x01\x00"  # critical FALSE, which DER leaves out


class _Either(core.Choice):
    _alternatives = [("extension", x509.Extension), ("number", core.Integer)]  # noqa: RUF012 - asn1crypto's way


class _Tagged(core.Sequence):
    _fields = [("either", _Either, {"explicit": 0})]  # noqa: RUF012


class _Marked(core.Sequence):
    _fields = [("extension", x509.Extension, {"explicit": 40})]  # noqa: RUF012


def _element(tag: bytes, contents: bytes) -> bytes:
    length = len(contents)
    if length < 128:
        return tag + bytes([length]) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return tag + bytes([0x80 | len(octets)]) + octets + contents


def _extension(length: int) -> bytes:
    """One of so many octets behind its tag and length, with `critical FALSE` written out."""
    room = length - len(KIND + WRITTEN_OUT)
    head = 2 if room < 130 else 3 if room < 259 else 4
    return _element(b"\x30", KIND + WRITTEN_OUT + _element(b"\x04", b"x" * (room - head)))


@pytest.mark.parametrize("length", [127, 128, 129, 384, 640, 32768, 33152])
def test_what_was_read_is_written_as_it_was_read(length: int) -> None:
    encoded = _extension(length)

    assert x509.Extension.load(encoded).dump() == encoded
    assert core.Sequence.load(encoded).dump() == encoded
    assert x509.Extensions.load(_element(b"\x30", encoded)).dump() == _element(b"\x30", encoded)


@pytest.mark.parametrize("length", [120, 122, 124, 125, 126, 128, 376, 378, 380])
def test_tags_around_a_value_change_nothing(length: int) -> None:
    within = _extension(length)
    for around, tag in ((_Tagged, b"\xa0"), (_Marked, b"\xbf\x28")):
        encoded = _element(b"\x30", _element(tag, within))
        read = around.load(encoded)

        assert read[0].dump() == _element(tag, within)
        assert read.dump() == encoded


def test_what_was_changed_since_is_written_anew() -> None:
    read = x509.Extension.load(_extension(384))
    read["critical"] = True

    assert read.dump() == _element(b"\x30", KIND + b"\x01\x01\xff" + read["extn_value"].dump())


def test_what_was_changed_deep_within_is_written_anew() -> None:
    within = _extension(376)
    read = x509.Extensions.load(_element(b"\x30", within + within))
    whole = len(read.dump())
    read[0]["critical"] = True

    assert len(read.dump()) == whole
    assert read.dump().count(b"\x01\x01\xff") == 1


def test_an_indefinite_length_is_written_as_a_definite_one() -> None:
    contents = KIND + b"\x04\x01x"

    assert x509.Extension.load(b"\x30\x80" + contents + b"\0\0").dump() == _element(b"\x30", contents)


def test_asked_to_the_library_writes_anew() -> None:
    encoded = _extension(384)

    assert x509.Extension.load(encoded).dump(force=True) == _element(b"\x30", encoded[4:].replace(WRITTEN_OUT, b"", 1))


def test_the_library_still_needs_it() -> None:
    """When this fails, the library is mended: `definite_lengths` can go, once that version is the least required."""
    library = core.Sequence.dump.__wrapped__

    assert library(x509.Extension.load(_extension(384))) != _extension(384)


@pytest.mark.parametrize("room", ["sealing", "verification"])
def test_each_room_that_uses_the_library_sees_to_it(room: str) -> None:
    asked = f"import sealtool.{room}; from asn1crypto import core; core.Sequence.dump.__wrapped__"

    subprocess.run([sys.executable, "-c", asked], check=True)
