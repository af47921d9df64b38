"""The SMTP adapter against a real SMTP server on loopback: handed over, refused, cut off at the decisive moment."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared.clock import SystemClock
from shared.mail import NO_SECURITY, STARTTLS, TLS, Letter, NotTaken, PerhapsTaken, SmtpPost, SmtpServer

LETTER = Letter(
    "<1@brent.example>", "digest@brent.example", ("hr@brent.example", "lead@brent.example"), "3 tasks", ".\nGöod day\n"
)


class Box:
    """What arrives; `faults` says how the server behaves."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        self.taken: list[bytes] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse some or all addresses when told to."""
        if "all" in self.faults or ("one" in self.faults and address.startswith("lead")):
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the letter, refuse it, or take it and break the connection before the answer."""
        if "text" in self.faults:
            return "554 no"
        self.taken.append(bytes(envelope.content or b""))
        if "cut" in self.faults:
            server.transport.abort()
            await asyncio.sleep(0)
        return "250 OK"


@pytest.fixture
def serve() -> Iterator:
    """A maker of servers: returns the box and how to reach it."""
    running: list[Controller] = []

    def start(*faults: str, hostname: str = "127.0.0.1", **options) -> tuple[Box, SmtpServer]:
        box = Box(*faults)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(box, hostname=hostname, port=port, **options)
        controller.start()
        running.append(controller)
        return box, SmtpServer("127.0.0.1", port, NO_SECURITY, seconds=10)

    yield start
    for controller in running:
        controller.stop()


def test_a_letter_arrives_as_it_was_written(serve):
    """Once, with its own id, to everybody, dots and letters beyond ASCII unharmed, and no answer asked for."""
    box, server = serve()
    assert SmtpPost(server).send(LETTER) == 0
    (taken,) = box.taken
    message = message_from_bytes(taken, policy=default)
    assert message["Message-ID"] == "<1@brent.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["To"] == "hr@brent.example, lead@brent.example"
    assert message.get_content().replace("\r\n", "\n") == ".\nGöod day\n"


def test_one_refused_address_does_not_keep_the_letter_from_the_others(serve):
    """And it is said how many were refused."""
    box, server = serve("one")
    assert SmtpPost(server).send(LETTER) == 1
    assert len(box.taken) == 1


@pytest.mark.parametrize("fault", ["all", "text"])
def test_a_refused_letter_is_certainly_not_taken(serve, fault):
    """Every address refused, or the text: it may be tried again."""
    box, server = serve(fault)
    with pytest.raises(NotTaken):
        SmtpPost(server).send(LETTER)
    assert box.taken == []


def test_no_server_is_certainly_not_taken():
    """Nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(NotTaken):
        SmtpPost(SmtpServer("127.0.0.1", port, NO_SECURITY, seconds=5)).send(LETTER)


def test_a_connection_cut_before_the_answer_leaves_doubt(serve):
    """The server has it and could not say so."""
    box, server = serve("cut")
    with pytest.raises(PerhapsTaken):
        SmtpPost(server).send(LETTER)
    assert len(box.taken) == 1


def test_a_server_without_starttls_is_given_nothing_where_it_is_asked_for(serve):
    """No letter and no password goes over a line that anybody may read unless somebody chose that."""
    box, server = serve()
    with pytest.raises(NotTaken):
        SmtpPost(SmtpServer(server.host, server.port, seconds=5)).send(LETTER)
    assert box.taken == []


def test_starttls_and_tls_hold_the_servers_certificate_against_those_one_trusts(serve, tmp_path):
    """A server with a certificate that nobody vouches for gets no letter; one that is vouched for does."""
    certificate, serving = certificate_of("localhost", tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    box, server = serve(hostname="localhost", tls_context=serving, require_starttls=True)
    known = SmtpServer("localhost", server.port, STARTTLS, seconds=10)
    with pytest.raises(NotTaken):
        SmtpPost(known).send(LETTER)
    assert box.taken == []
    assert SmtpPost(known, trusting).send(LETTER) == 0
    assert len(box.taken) == 1
    with pytest.raises(NotTaken):
        SmtpPost(SmtpServer("localhost", server.port, TLS, seconds=5), trusting).send(LETTER)


def certificate_of(name: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a new certificate and what a server shows it with."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, secret)
    return certificate, serving


def test_a_server_that_asks_is_told_who_one_is(serve):
    """And a wrong password is a refusal whose message holds no password."""

    def check(_server, _session, _envelope, _mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"digest", b"right"), handled=False)

    box, server = serve(authenticator=check, auth_require_tls=False)
    with pytest.raises(NotTaken) as refused:
        SmtpPost(SmtpServer(server.host, server.port, NO_SECURITY, "digest", "wrong")).send(LETTER)
    assert "wrong" not in str(refused.value)
    assert box.taken == []
    SmtpPost(SmtpServer(server.host, server.port, NO_SECURITY, "digest", "right")).send(LETTER)
    assert len(box.taken) == 1
