"""The refusals of reporting, each of one of the platform's kinds."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Conflict, NotFound


class NoSuchReport(NotFound):
    """There is no table or publication of that name."""

    slug: ClassVar[str] = "no-such-report"


class NothingToPublish(Conflict):
    """No course is known yet: there is nothing that a publication could hold."""

    slug: ClassVar[str] = "nothing-to-publish"
