"""The rules of enrolment, pure. No I/O, clock, log or framework here."""
