"""Judging what was published: sealed files, folders of them, and manifests. Needs no ledger and no network.

Whoever hands the files over may be an enemy: a folder can hold links, pipes, odd names, or lack what it should
hold. Nothing of that stops an audit or slips through it; all is a finding.
"""

from sealtool.auditing.audit import Auditing, Judges, Progress
from sealtool.auditing.certificates import JudgeCertificate
from sealtool.auditing.elsewhere import Distance
from sealtool.auditing.judgements import SCHEMA, Audit, FileJudgement, decodable
from sealtool.auditing.manifests import JudgeSeal
from sealtool.auditing.reasons import EXPLANATIONS, FileReason

__all__ = [
    "EXPLANATIONS",
    "SCHEMA",
    "Audit",
    "Auditing",
    "Distance",
    "FileJudgement",
    "FileReason",
    "JudgeCertificate",
    "JudgeSeal",
    "Judges",
    "Progress",
    "decodable",
]
