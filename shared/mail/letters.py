"""A letter, and the two ways in which handing it over may fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in plain text. `message_id` is the sender's own and the same at every try: `<id@host>`."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str


class NotTaken(Unavailable):
    """The server certainly did not take the letter: it may be handed over again."""

    slug: ClassVar[str] = "mail-not-taken"


class PerhapsTaken(Unavailable):
    """The connection broke after the text was sent and before the answer: nobody but the server knows."""

    slug: ClassVar[str] = "mail-perhaps-taken"
