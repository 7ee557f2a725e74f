"""Answers of time stamp authorities recognised by their parts (RFC 3161, 2.4.2; ADR 0018).

Two answers of one authority differ in what is stamped and the signature. All else is judged once.
"""

from __future__ import annotations

from dataclasses import dataclass

from asn1crypto import algos, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.exceptions import InvalidSignature
from pyhanko.sign.general import extract_signer_info
from pyhanko_certvalidator.sig_validate import DEFAULT_SIGNATURE_VALIDATOR, SignatureValidationContext

from sealtool.sealing.der import SEQUENCE, element
from sealtool.sealing.moulds import MessageMould
from sealtool.sealing.signatures import digest_of


@dataclass(frozen=True, slots=True)
class AnswerMould:
    """An answer whose token the library has found sound. Another one with the same parts is sound if its content is
    what was asked for and its signature is valid.

    Attributes:
        status: of the answer: granted.
        token: its mould.
        certificate: of the signer.
        digest_algorithm: of the signer, by its name.
        signature_algorithm: of the signer.
    """

    status: bytes
    token: MessageMould
    certificate: asn1_x509.Certificate
    digest_algorithm: str
    signature_algorithm: algos.SignedDigestAlgorithm

    @classmethod
    def of(cls, answer: tsp.TimeStampResp, certificate: asn1_x509.Certificate) -> AnswerMould | None:
        """The mould of an answer; None where another one could not be made of its parts.

        Args:
            answer: with a token that is sound.
            certificate: of the signer.
        """
        token = answer["time_stamp_token"]
        signer = extract_signer_info(token["content"])
        algorithm = signer["digest_algorithm"]["algorithm"].native
        content = bytes(token["content"]["encap_content_info"]["content"])
        try:
            of_token = MessageMould.of(token, digest_of(content, algorithm))
        except (ValueError, TypeError):  # what nothing in a token signs may be broken; who checks tokens looks past it
            return None
        if of_token is None:
            return None
        mould = cls(answer["status"].dump(), of_token, certificate, algorithm, signer["signature_algorithm"])
        return mould if mould.stamp_in(answer.dump()) is not None else None

    def stamp_in(self, answer: bytes) -> Stamp | None:
        """The stamp in an answer that comes out of this mould to the byte; None in any other."""
        try:
            content, signature = self.token.likely_parts(answer)
        except ValueError:
            return None
        digest = digest_of(content, self.digest_algorithm)
        token = self.token.filled(digest, signature, content=content)
        if element(SEQUENCE, self.status, token) != answer:
            return None
        return Stamp(self, content, digest, signature, token)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is its own in an answer that comes out of a mould.

    Attributes:
        mould: of the answer.
        content: what the authority says (TSTInfo).
        digest: of the content.
        signature: over it.
        token: the whole of it.
    """

    mould: AnswerMould
    content: bytes
    digest: bytes
    signature: bytes
    token: bytes

    def is_signed(self) -> bool:
        """Whether the signature is valid."""
        try:
            DEFAULT_SIGNATURE_VALIDATOR.validate_signature(
                self.signature,
                self.mould.token.to_be_signed(self.digest),
                self.mould.certificate.public_key,
                self.mould.signature_algorithm,
                context=SignatureValidationContext(contextual_md_algorithm=self.mould.digest_algorithm),
            )
        except InvalidSignature:
            return False
        return True
