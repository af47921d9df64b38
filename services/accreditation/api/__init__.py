"""Accreditation over HTTP."""
