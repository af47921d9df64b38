"""Handing a letter to an SMTP server, command by command, so that it is known what a broken connection means.

SMTP cannot say more than this: before the closing dot of the text is sent nothing was taken; after its answer all was;
between the two only the server knows (RFC 5321, 4.2.5 and 6.1). No retrying and no schedule lives here.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from prometheus_client import Counter

from shared.mail.letters import Letter, NotTaken, PerhapsTaken

NO_SECURITY: Final = "none"
STARTTLS: Final = "starttls"
TLS: Final = "tls"
TAKEN: Final = 250
LETTERS: Final = Counter("letters_total", "Letters handed to the mail server, by what became of them.", ["outcome"])
ADDRESSES_REFUSED: Final = Counter("letter_addresses_refused_total", "Addresses that the mail server refused.")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where letters are handed over. `security`: none, starttls or tls; certificates are always checked."""

    host: str
    port: int
    security: str = STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    seconds: float = 20.0


class SmtpPost:
    """Hands letters to one server, one connection per letter: a digest a day is worth no pool."""

    def __init__(self, server: SmtpServer, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._context = context or ssl.create_default_context()

    def send(self, letter: Letter) -> int:
        """Hand `letter` over and return how many of its addresses the server refused; some were taken.

        Raises:
            NotTaken: No address, no connection or a refusal: certainly not taken.
            PerhapsTaken: The connection broke at the decisive moment.
        """
        try:
            refused = self._hand_over(letter)
        except NotTaken:
            LETTERS.labels("not_taken").inc()
            raise
        except PerhapsTaken:
            LETTERS.labels("perhaps_taken").inc()
            raise
        LETTERS.labels("taken").inc()
        ADDRESSES_REFUSED.inc(refused)
        return refused

    def _hand_over(self, letter: Letter) -> int:
        with self._connection() as connection:
            with _before_the_text():
                _must(connection.mail(letter.sender))
                refused = sum(connection.rcpt(address)[0] not in (250, 251) for address in letter.recipients)
            if refused == len(letter.recipients):
                raise NotTaken("the mail server refused every address")
            with _before_the_text():
                code, _ = connection.docmd("DATA")
                if code != 354:  # "start mail input"
                    raise NotTaken(f"the mail server refused the text ({code})")
            _send_text(connection, message_of(letter))
        return refused

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server = self._server
        with _before_the_text():
            connection = self._opened()
        try:
            with _before_the_text():
                connection.ehlo_or_helo_if_needed()
                if server.security == STARTTLS:
                    connection.starttls(context=self._context)
                    connection.ehlo()  # what was said before is forgotten (RFC 3207, 4.2)
                if server.username:
                    connection.login(server.username, server.password)
            yield connection
        finally:
            connection.close()

    def _opened(self) -> smtplib.SMTP:
        server = self._server
        if server.security == TLS:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=server.seconds, context=self._context)
        return smtplib.SMTP(server.host, server.port, timeout=server.seconds)


def message_of(letter: Letter) -> bytes:
    """Return the message's bytes, lines ended and dots doubled as SMTP wants them."""
    message = EmailMessage(policy=SMTP)
    message["From"] = letter.sender
    message["To"] = ", ".join(letter.recipients)
    message["Subject"] = letter.subject
    message["Message-ID"] = letter.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply, please
    message.set_content(letter.text)
    lines = message.as_bytes().split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)


def _send_text(connection: smtplib.SMTP, text: bytes) -> None:
    """Send the text with its closing dot; from here until the answer a fault leaves doubt."""
    try:
        connection.send(text if text.endswith(b"\r\n") else text + b"\r\n")
        connection.send(b".\r\n")
        code, _ = connection.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise PerhapsTaken("the connection to the mail server broke before its answer") from error
    if code != TAKEN:
        raise NotTaken(f"the mail server refused the letter ({code})")


@contextmanager
def _before_the_text() -> Iterator[None]:
    """Make every fault a `NotTaken`: nothing was sent yet. The server's words stay out: they may hold addresses."""
    try:
        yield
    except (OSError, smtplib.SMTPException) as error:
        raise NotTaken(f"the mail server did not take the letter ({type(error).__name__})") from error


def _must(answer: tuple[int, bytes]) -> None:
    if answer[0] != TAKEN:
        raise NotTaken(f"the mail server refused the sender ({answer[0]})")
