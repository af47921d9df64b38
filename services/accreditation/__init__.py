"""Accreditation: the awarding university's own decisions about modules, marks and credit.

Owns: shell modules and their instances, registrations, the university's person register, submitted work, marks,
boards and the ledger of credits, each in the awarding university's own database.
Emits: `org.<hei>.accreditation.v1` (no marks, no names). Consumes: the enrolment and assessment feeds.
Never decides: who has a seat, and whether practice was passed.
"""
