"""Sealed bytes and trust in, verdict out: the strict verifier.

It shares no code with sealing, so that a mistake cannot agree with itself. It reads no file but those of the
trust, uses no network and no clock, and answers every input with a verdict.
"""

import logging

from sealtool.definite_lengths import respect_definite_lengths
from sealtool.verification.certificate import async_verify_certificate, verify_certificate
from sealtool.verification.detached import async_verify_detached, verify_detached
from sealtool.verification.reasons import REASONS, Explanation, ReasonCode
from sealtool.verification.trust import Trust, load_trust

__all__ = [
    "REASONS",
    "Explanation",
    "ReasonCode",
    "Trust",
    "async_verify_certificate",
    "async_verify_detached",
    "load_trust",
    "verify_certificate",
    "verify_detached",
]

respect_definite_lengths()

# What the libraries log about a bad file, tracebacks included, is told by the verdict. An application that
# configures logging still gets it; one that does not finds its standard error clean.
for _library in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_library).addHandler(logging.NullHandler())
