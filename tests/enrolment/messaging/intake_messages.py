"""What an employer writes on its intake topic: one record under a reference of its own."""

from __future__ import annotations

import json

RECORD = {
    "employee_ref": "60001",
    "given_name": "Liam",
    "family_name": "Thomas",
    "email": "liam@hounslow.example",
    "date_of_birth": "1972-02-07",
    "swe_number": "SW27551",
    "pcf_level": "SW",
    "employment_start": "2014-10-03",
    "course": "SAR",
    "intake": "2025-09",
    "route": "practice_only",
    "manager_approved_on": "2025-07-10",
}
REF = "b78d8a63-b14c-4eac-ad44-f58972b3d4d1"


def a_message(ref: str = REF, **changes: object) -> bytes:
    """Return a message with a good record of Hounslow, changed."""
    return json.dumps({"record_ref": ref, "record": RECORD | changes}).encode()
