"""Plain e-mail by SMTP: a letter, how it may fail, and the adapter. Nothing here knows what a letter is about.

Signatures:

    Letter(message_id, sender, recipients, subject, text)
    SmtpServer(host, port, security, username, password, seconds)
    SmtpPost(SmtpServer).send(letter) -> int      # how many addresses the server refused
    NotTaken: certainly not taken, may be tried again; PerhapsTaken: the connection broke at the decisive moment
"""

from shared.mail.letters import Letter, NotTaken, PerhapsTaken
from shared.mail.smtp import NO_SECURITY, STARTTLS, TLS, SmtpPost, SmtpServer

__all__ = ["NO_SECURITY", "STARTTLS", "TLS", "Letter", "NotTaken", "PerhapsTaken", "SmtpPost", "SmtpServer"]
