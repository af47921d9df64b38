"""The composition root: settings to wired parts. The only file that sees every room."""

from __future__ import annotations

from services.reporting.application.ports import Terms
from shared.partnership import Partnership


def terms_of(partnership: Partnership) -> Terms:
    """Return what reporting takes from the partnership file."""
    return Terms(
        title=partnership.title,
        board=partnership.board,
        employers=partnership.with_role("employer"),
        names={slug: organisation.name for slug, organisation in partnership.organisations.items()},
        domains={
            name: partnership.frameworks[evidence_set.framework].domains
            for name, evidence_set in partnership.evidence_sets.items()
        },
    )
