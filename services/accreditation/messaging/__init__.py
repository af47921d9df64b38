"""Accreditation's own events going out, and other services' events coming in."""
