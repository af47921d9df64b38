"""The marshmallow schema and fields that every HTTP schema uses: strict types, bounded sizes, no echo of values.

    class CohortIn(StrictSchema):
        title = Text(required=True, longest=120)
        capacity = Whole(required=True, least=1, most=500)
        opens_on = CivilDate(required=True)
        kind = Choice(("first", "second"), required=True)

Make instances once, at import. No field here knows the domain.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypedDict, TypeVar, Unpack

from marshmallow import RAISE, Schema, ValidationError, fields, validate

MOST_WHOLE: Final = 2**53 - 1
EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2100
MOST_ITEMS: Final = 1000
WIDEST_OFFSET: Final = timedelta(hours=14)
SLUG: Final = r"[a-z0-9]+(-[a-z0-9]+)*"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})\Z")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?\Z")
_DIRECTIONS: Final = "\u202a-\u202e\u2066-\u2069"
_SURROGATES: Final = "\ud800-\udfff"
_REFUSED: Final = re.compile(f"[\x00-\x1f\x7f-\x9f{_DIRECTIONS}{_SURROGATES}]")
_REFUSED_IN_LINES: Final = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_DIRECTIONS}{_SURROGATES}]")
"""Control characters (Unicode's Cc, all of them), overrides of direction, lone surrogates (Cs)."""

_ANY: Final = "[^\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]"
_ANY_LINES: Final = _ANY.replace("\\u0000-\\u001f", "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f")
_YEARS: Final = "(19[0-9]{2}|20[0-9]{2}|2100)"

MESSAGES: Final[dict[str, str | list[Any] | dict[Any, Any]]] = {
    "required": "This field is needed.",
    "null": "This field may not be null.",
    "validator_failed": "This value is not allowed.",
}
"""Constant texts: marshmallow's own repeat what was sent."""

T = TypeVar("T")


class StrictSchema(Schema):
    """A schema that refuses unknown fields and keeps the order in which fields are written."""

    class Meta:
        """Refuse unknown fields: mass assignment."""

        unknown = RAISE


class Options(TypedDict, total=False):
    """What every field takes besides its own arguments; marshmallow's meanings."""

    required: bool
    allow_none: bool
    load_default: object
    data_key: str
    load_only: bool
    dump_only: bool
    metadata: Mapping[str, object]


class StrictField(fields.Field[T]):
    """What all fields here share: `read` takes one JSON value, `show` gives one; messages never repeat a value.

    `null` is refused unless `allow_none`.
    """

    default_error_messages = MESSAGES

    def read(self, value: object) -> T:
        """Return the typed value.

        Raises:
            ValidationError: it is of another type or not in canonical form.
        """
        raise NotImplementedError

    def show(self, value: T) -> object:
        """Return what JSON shows of a value of ours."""
        return value

    def documented(self) -> dict[str, object]:
        """Return what the OpenAPI document says of the values beyond what the validators tell it."""
        return {}

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - marshmallow's signature, as below
        attr: str | None,  # noqa: ARG002
        data: Mapping[str, Any] | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> T:
        return self.read(value)

    def _serialize(
        self,
        value: T | None,
        attr: str | None,  # noqa: ARG002
        obj: Any,  # noqa: ANN401, ARG002
        **kwargs: Any,  # noqa: ANN401, ARG002
    ) -> object:
        return None if value is None else self.show(value)


class Text(StrictField[str]):
    """Text: trimmed, NFC, without NUL, control characters, direction overrides or lone surrogates.

    Apostrophes, hyphens, single names and emoji are kept as typed. `longest` counts characters after trimming;
    `lines` allows line breaks and tabs.
    """

    def __init__(
        self,
        *,
        longest: int = 200,
        shortest: int = 1,
        pattern: str | None = None,
        lines: bool = False,
        **options: Unpack[Options],
    ) -> None:
        checks: list[validate.Validator] = [
            validate.Length(shortest, longest, error=f"Between {shortest} and {longest} characters.")
        ]
        if pattern is not None:
            checks.append(validate.Regexp(rf"^(?:{pattern})$(?!\n)", error="Not in the expected form."))
        super().__init__(validate=checks, **options)
        self._refused, self._has_lines = (_REFUSED_IN_LINES if lines else _REFUSED), lines
        self._has_form, self._is_needed = pattern is not None, shortest > 0

    def read(self, value: object) -> str:
        """Return the canonical form of `value`."""
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        if self._refused.search(value):
            raise ValidationError("Holds characters that text may not hold.")
        return unicodedata.normalize("NFC", value.strip())

    def documented(self) -> dict[str, object]:
        """Return a pattern for what `read` refuses, unless the text has a form of its own; blanks alone are no text."""
        if self._has_form:
            return {}
        some = _ANY_LINES if self._has_lines else _ANY
        return {"pattern": f"^{some}*[^\\s{some[2:]}{some}*$" if self._is_needed else f"^{some}*$"}


class Slug(Text):
    """A lower-case name for machines: `brent`, `practice-educator-1`."""

    def __init__(self, *, longest: int = 63, **options: Unpack[Options]) -> None:
        super().__init__(longest=longest, pattern=SLUG, **options)


class Identifier(StrictField[str]):
    """A UUID in its canonical form: lower case with hyphens, no braces."""

    def read(self, value: object) -> str:
        """Return `value` unchanged, once it is canonical."""
        if not isinstance(value, str) or not _UUID.match(value):
            raise ValidationError("Must be a UUID in lower case with hyphens.")
        return value


class Choice(StrictField[str]):
    """One of a few words."""

    def __init__(self, choices: Sequence[str], **options: Unpack[Options]) -> None:
        allowed = tuple(choices)
        super().__init__(validate=validate.OneOf(allowed, error="Must be one of: " + ", ".join(allowed)), **options)

    def read(self, value: object) -> str:
        """Return `value`, a text."""
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        return value


class Whole(StrictField[int]):
    """A whole number between `least` and `most`, both included. No texts, no 1.0, no booleans."""

    def __init__(self, *, least: int = 0, most: int = MOST_WHOLE, **options: Unpack[Options]) -> None:
        super().__init__(validate=validate.Range(least, most, error=f"Between {least} and {most}."), **options)

    def read(self, value: object) -> int:
        """Return `value`, an integer."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError("Must be a whole number.")
        return value


class WholeText(Whole):
    """`Whole` as a query parameter spells it: decimal digits only."""

    def read(self, value: object) -> int:
        """Return the number that `value` spells."""
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,16}", value):
            raise ValidationError("Must be a whole number.")
        return int(value)


class Exact(StrictField[Decimal]):
    """A decimal number with at most `places` places, from a JSON number or a text like "62.5"; shown as a text."""

    def __init__(self, *, least: int = 0, most: int = 10**9, places: int = 2, **options: Unpack[Options]) -> None:
        super().__init__(validate=validate.Range(least, most, error=f"Between {least} and {most}."), **options)
        self.least, self.most, self.places = least, most, places

    def documented(self) -> dict[str, object]:
        """Return both forms in which it may be sent."""
        places = rf"(\.[0-9]{{1,{self.places}}})?" if self.places else ""
        kinds = ["string", "number", *(["null"] if self.allow_none else [])]
        sign, digits = "-?" if self.least < 0 else "", len(str(max(abs(self.least), abs(self.most))))
        form = f"^{sign}[0-9]{{1,{digits}}}{places}$"
        return {"type": kinds, "minimum": self.least, "maximum": self.most, "pattern": form}

    def read(self, value: object) -> Decimal:
        """Return the number, exactly as written."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValidationError("Must be a number.")
        text = str(value)
        number = Decimal(text) if _DECIMAL.match(text) else None
        if number is None or -int(number.as_tuple().exponent) > self.places:
            raise ValidationError(f"Must be a number with at most {self.places} decimal places.")
        return number

    def show(self, value: Decimal) -> str:
        """Return the number as a text, so that nobody's floating point touches it."""
        return str(value)


class Flag(StrictField[bool]):
    """`true` or `false`; not 1, not "yes"."""

    def read(self, value: object) -> bool:
        """Return `value`, a boolean."""
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class CivilDate(StrictField[date]):
    """A real date, `YYYY-MM-DD`, from 1900 to 2100."""

    def documented(self) -> dict[str, object]:
        """Return the years."""
        return {"pattern": f"^{_YEARS}-"}

    def read(self, value: object) -> date:
        """Return the date."""
        try:
            made = date.fromisoformat(value) if isinstance(value, str) and _DATE.match(value) else None
        except ValueError:
            made = None
        if made is None or not EARLIEST_YEAR <= made.year <= LATEST_YEAR:
            raise ValidationError(f"Must be a real date, YYYY-MM-DD, from {EARLIEST_YEAR} to {LATEST_YEAR}.")
        return made

    def show(self, value: date) -> str:
        """Return the ISO form."""
        return value.isoformat()


class Instant(StrictField[datetime]):
    """An RFC 3339 instant with its offset; the result is UTC. From 1900 to 2100."""

    def documented(self) -> dict[str, object]:
        """Return the years and the form: capitals, seconds, at most six places."""
        return {"pattern": rf"^{_YEARS}-\d{{2}}-\d{{2}}T\d{{2}}:\d{{2}}:\d{{2}}(\.\d{{1,6}})?(Z|[+-]\d{{2}}:\d{{2}})$"}

    def read(self, value: object) -> datetime:
        """Return the instant in UTC."""
        made = _instant(value) if isinstance(value, str) else None
        if made is None or not EARLIEST_YEAR <= made.year <= LATEST_YEAR:
            raise ValidationError(f"Must be an RFC 3339 instant with an offset, {EARLIEST_YEAR} to {LATEST_YEAR}.")
        return made

    def show(self, value: datetime) -> str:
        """Return RFC 3339 in UTC with a Z."""
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(text: str) -> datetime | None:
    """Return the instant in UTC that `text` spells, None when it spells none."""
    try:
        made = datetime.fromisoformat(text) if _INSTANT.match(text) else None
        offset = made.utcoffset() if made else None
        return made.astimezone(UTC) if made and offset is not None and abs(offset) <= WIDEST_OFFSET else None
    except (ValueError, OverflowError):
        return None


class Items(fields.List[Any]):
    """A list of at most `most` items, each read by `item`; a longer one is refused before any item is read."""

    default_error_messages = {**MESSAGES, "invalid": "Must be a list."}  # noqa: RUF012 - marshmallow's own attribute

    def __init__(
        self, item: fields.Field[Any], *, most: int = MOST_ITEMS, least: int = 0, **options: Unpack[Options]
    ) -> None:
        checks = validate.Length(least, most, error=f"Between {least} and {most} items.")
        super().__init__(item, validate=checks, **options)
        self.most = most

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - marshmallow's signature
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> list[Any]:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"At most {self.most} items.")
        return super()._deserialize(value, attr, data, **kwargs)


class Part(fields.Nested):
    """An object inside an object, of another `StrictSchema`."""

    default_error_messages = {**MESSAGES, "type": "Must be an object."}  # noqa: RUF012 - marshmallow's own attribute


class Table(fields.Dict):
    """An object with names that are not known beforehand: `keys` and `values` are fields."""

    default_error_messages = {**MESSAGES, "invalid": "Must be an object."}  # noqa: RUF012 - marshmallow's own attribute

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401 - marshmallow's signature
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Return the table; faults point at the names themselves, where marshmallow adds a level of its own."""
        try:
            return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            faults = {name: _of_entry(told) for name, told in error.messages.items()}
            raise ValidationError(faults) from error


def _of_entry(told: dict[str, Any]) -> Any:  # noqa: ANN401 - marshmallow's nested messages
    """Return what is wrong with an entry's name, its value, or both."""
    if "key" in told and isinstance(told.get("value"), dict):
        return {"_schema": told["key"], **told["value"]}
    return [*told.get("key", []), *told["value"]] if "key" in told and "value" in told else next(iter(told.values()))
