"""Enrolment's pages for HR, supervisors and the programme lead: server-rendered, on the shared web room."""
