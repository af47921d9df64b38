"""Reporting: what the partnership's board may know of everybody's work.

Owns: the board's roll-ups and its closed publications. Emits: `reporting.table-published.v1` on the board's feed.
Consumes: the feeds of enrolment, assessment, accreditation and its own. Never decides anything about a person, a seat
or a credit, and never shows a raw count to anybody but the board's own operator.
"""
