"""The enrolment as a marshmallow schema: the one that every peer with marshmallow checks with, made once."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from tests.bench.peers import rules


class Flag(fields.Boolean):
    """True or false; marshmallow alone also takes 1, "yes" and "on"."""

    def _deserialize(self, value, attr, data, **rest) -> bool:  # noqa: ARG002 - marshmallow's own
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Float):
    """A JSON number; marshmallow alone also takes the text of one."""

    def _deserialize(self, value, attr, data, **rest) -> float | None:
        if isinstance(value, str):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **rest)


class Strict(Schema):
    """Everything that is not named is refused."""

    class Meta:
        """As marshmallow wants it."""

        unknown = RAISE


def text(pattern: str) -> fields.String:
    """Return a field for a text that matches."""
    return fields.String(required=True, validate=validate.Regexp(rules.exact(pattern)))


def name() -> fields.String:
    """Return a field for a name."""
    return fields.String(required=True, validate=validate.Length(1, rules.NAME_LENGTH))


def whole_number(least: int, most: int) -> fields.Integer:
    """Return a field for a whole number."""
    return fields.Integer(required=True, strict=True, validate=validate.Range(least, most))


class Candidate(Strict):
    """Who."""

    practitioner_id = text(rules.UUID)
    given_name = name()
    family_name = name()
    email = text(rules.EMAIL)
    registered_on = fields.Date(required=True)


class Placement(Strict):
    """Where."""

    agency = name()
    borough = text(rules.SLUG)
    days = whole_number(1, rules.MOST_DAYS)
    hours_per_week = Number(required=True, validate=validate.Range(rules.LEAST_HOURS, rules.MOST_HOURS))


class Course(Strict):
    """What."""

    code = text(rules.CODE)
    intake = text(rules.INTAKE)
    credits = whole_number(rules.LEAST_CREDITS, rules.MOST_CREDITS)
    fee_pence = whole_number(0, rules.MOST_PENCE)
    modules = fields.List(text(rules.CODE), required=True, validate=validate.Length(1, rules.MOST_CODES))


class Enrolment(Strict):
    """All of it."""

    serial = whole_number(1, rules.MOST_SERIAL)
    enrolment_id = text(rules.UUID)
    requested_at = fields.AwareDateTime(required=True)
    starts_on = fields.Date(required=True)
    route = fields.String(required=True, validate=validate.OneOf(rules.ROUTES))
    level = fields.String(required=True, validate=validate.OneOf(rules.LEVELS))
    part_time = Flag(required=True)
    candidate = fields.Nested(Candidate, required=True)
    placement = fields.Nested(Placement, required=True)
    course = fields.Nested(Course, required=True)


SCHEMA = Enrolment()


def row(document: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored of an enrolment, which is the enrolment as it came.

    Raises:
        marshmallow.ValidationError: it breaks a rule.
    """
    SCHEMA.load(document)
    return {"_id": document["enrolment_id"], **document}
