"""Assessment: practice portfolios, their evidence and outcome; self-assessment; supervision.

Owns: an employer's portfolios, line-manager history (as opaque ids), supervision sessions and self-assessments.
Emits: `assessment.*` on `org.<employer>.assessment.v1`. Consumes: enrolment's feeds of the same employers.
Never decides: who has a seat, and anything academic; a practice outcome says nothing about credit (BR-13).
"""
