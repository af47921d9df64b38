"""The rules of accreditation, pure: no I/O, clock, log or framework."""
