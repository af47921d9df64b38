"""Accreditation's documents in the university's own database."""
