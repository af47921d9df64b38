"""Enrolment: who is on which course, cohort and route; seats and waiting lists.

Owns: an employer's practitioners, nominations and enrolments; the programme lead's courses, cohorts and seats.
Emits: `enrolment.*` on `org.<employer or lead>.enrolment.v1`, answers to HR systems on `out.<employer>.enrolment.v1`.
Consumes: the enrolment feeds of everybody, and the employers' own intake topics.
Never decides: practice outcomes, credit, or anything about another organisation's rows.
"""
