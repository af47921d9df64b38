"""What an enrolment process takes from its environment: what every service does, and how e-mail leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from environs import Env
from marshmallow.validate import OneOf, Regexp

from shared.errors import Fault, Malformed
from shared.mail import NO_SECURITY, STARTTLS, TLS, SmtpServer
from shared.process.settings import PORTS, PagesSettings, load
from shared.process.weak_settings import LOOPBACK

SERVICE = "enrolment"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentSettings(PagesSettings):
    """The settings of a service with pages, and the mail server that digests of tasks are handed to.

    smtp_host, smtp_port: where it is; without a host no e-mail is ever sent. SMTP_HOST, SMTP_PORT
    smtp_security: `starttls`, `tls` from the first byte, or `none`. SMTP_SECURITY
    smtp_username, smtp_password_file: for a server that asks. SMTP_USERNAME, SMTP_PASSWORD_FILE
    mail_from: the address that e-mail comes from; needed with SMTP_HOST. MAIL_FROM
    """

    smtp_host: str
    smtp_port: int
    smtp_security: str
    smtp_username: str
    smtp_password_file: Path | None
    mail_from: str

    @classmethod
    def read(cls, env: Env) -> Self:
        """Return the settings as `env` has them; wrong ones are None until `env.seal()` says so."""
        return cls(**PagesSettings.variables(env), **_mail(env))

    def weak_in_production(self) -> tuple[Fault, ...]:
        """Return the fault of letters, and a mail server's password, that would go through a network in the clear."""
        if self.smtp_security != NO_SECURITY or not self.smtp_host or self.smtp_host in LOOPBACK:
            return ()
        detail = "none: letters would pass in the clear; set starttls or tls, or hand them to a server on this machine"
        return (Fault(code="weak_setting", detail=detail, pointer="SMTP_SECURITY"),)

    def smtp_server(self) -> SmtpServer | None:
        """Return where letters are handed over, None where e-mail is off.

        Raises:
            Malformed: There is a server and no sender, or the password's file cannot be read.
        """
        if not self.smtp_host:
            return None
        if not self.mail_from:
            raise Malformed("SMTP_HOST is set, so MAIL_FROM must say from which address e-mail comes")
        return SmtpServer(
            self.smtp_host, self.smtp_port, self.smtp_security, self.smtp_username, _secret(self.smtp_password_file)
        )


def settings() -> EnrolmentSettings:
    """Return the settings.

    Raises:
        Malformed: with every missing or wrong variable in one message.
    """
    return load(EnrolmentSettings.read)


def _mail(env: Env) -> dict[str, Any]:  # Any: environs' values, typed by the dataclass that takes them
    address = Regexp(r"([^@\s<>]+@[^@\s<>]+)?\Z", error="must be one address, or empty")
    return {
        "smtp_host": env.str("SMTP_HOST", ""),
        "smtp_port": env.int("SMTP_PORT", 587, validate=PORTS),
        "smtp_security": env.str("SMTP_SECURITY", STARTTLS, validate=OneOf((NO_SECURITY, STARTTLS, TLS))),
        "smtp_username": env.str("SMTP_USERNAME", ""),
        "smtp_password_file": env.path("SMTP_PASSWORD_FILE", None),
        "mail_from": env.str("MAIL_FROM", "", validate=address),
    }


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Malformed(f"SMTP_PASSWORD_FILE {file} cannot be read ({type(error).__name__})") from error
