"""The qualified certificate statements of a seal (EN 319 412-5), in DER by hand: two OIDs need no ASN.1 compiler."""

from __future__ import annotations

from cryptography import x509

QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")
QC_COMPLIANCE = "0.4.0.1862.1.1"
QC_TYPE = "0.4.0.1862.1.6"
QC_TYPE_ESEAL = "0.4.0.1862.1.6.2"

_OBJECT_IDENTIFIER = 0x06
_SEQUENCE = 0x30


def eseal_statements() -> x509.UnrecognizedExtension:
    """Says "qualified" and "for electronic seals" (EN 319 412-5, 4.2.1 and 4.2.3).

    QcSSCD is not claimed: the demonstration key lies in a file.
    """
    compliance = _tagged(_SEQUENCE, _oid(QC_COMPLIANCE))
    kind = _tagged(_SEQUENCE, _oid(QC_TYPE) + _tagged(_SEQUENCE, _oid(QC_TYPE_ESEAL)))
    return x509.UnrecognizedExtension(QC_STATEMENTS, _tagged(_SEQUENCE, compliance + kind))


def _oid(dotted: str) -> bytes:
    """X.690, 8.19."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return _tagged(_OBJECT_IDENTIFIER, b"".join(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(0x80 | (arc & 0x7F))
    return bytes(reversed(digits))


def _tagged(tag: int, content: bytes) -> bytes:
    # the short form of X.690, 8.1.3.4: nothing here is longer than 127 bytes
    return bytes((tag, len(content))) + content
