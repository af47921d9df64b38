"""The partnership file: who takes part, in which role, by which frameworks and column mappings.

Configuration that all partners hold alike lives here. What one instance needs for itself (ports, secrets) is
environment, never in the file.
"""

from __future__ import annotations

from shared.partnership.loader import load, parse
from shared.partnership.model import (
    ColumnMapping,
    DatedPolicy,
    EvidenceSet,
    Framework,
    ItemRule,
    Organisation,
    Partnership,
    SplitName,
)

__all__ = [
    "ColumnMapping",
    "DatedPolicy",
    "EvidenceSet",
    "Framework",
    "ItemRule",
    "Organisation",
    "Partnership",
    "SplitName",
    "load",
    "parse",
]
