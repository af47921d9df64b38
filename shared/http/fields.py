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
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

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
_DIRECTIONS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

T = TypeVar("T")


class StrictSchema(Schema):
    """A schema that refuses unknown fields and keeps the order in which fields are written."""

    class Meta:
        """Refuse unknown fields: mass assignment."""

        unknown = RAISE


class _Strict(fields.Field[T]):
    """What all fields here share: constant messages, `null` refused unless `allow_none`."""

    default_error_messages: dict[str, str] = {  # noqa: RUF012 - marshmallow's own class attribute
        "required": "This field is needed.",
        "null": "This field may not be null.",
        "validator_failed": "This value is not allowed.",
    }


class Text(_Strict[str]):
    """Text: trimmed, NFC, without NUL, control characters, direction overrides or lone surrogates.

    Apostrophes, hyphens, single names and emoji are kept as typed. `longest` counts characters after trimming;
    `lines` allows line breaks and tabs.
    """

    def __init__(
        self, *, longest: int = 200, shortest: int = 1, pattern: str | None = None, lines: bool = False, **options: Any
    ) -> None:
        checks: list[validate.Validator] = [
            validate.Length(shortest, longest, error=f"Between {shortest} and {longest} characters.")
        ]
        if pattern is not None:
            checks.append(validate.Regexp(rf"(?:{pattern})\Z", error="Not in the expected form."))
        super().__init__(validate=checks, **options)
        self.longest, self.shortest, self.pattern = longest, shortest, pattern
        self._allowed_controls = frozenset("\n\r\t") if lines else frozenset()

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        """Return the canonical form of `value`."""
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        if any(self._is_refused(character) for character in value):
            raise ValidationError("Holds characters that text may not hold.")
        return unicodedata.normalize("NFC", value.strip())

    def _is_refused(self, character: str) -> bool:
        """Return whether `character` may not stand in text."""
        kind = unicodedata.category(character)
        return kind == "Cs" or character in _DIRECTIONS or (kind == "Cc" and character not in self._allowed_controls)


class Slug(Text):
    """A lower-case name for machines: `brent`, `practice-educator-1`."""

    def __init__(self, *, longest: int = 63, **options: Any) -> None:
        super().__init__(longest=longest, pattern=SLUG, **options)


class Identifier(_Strict[str]):
    """A UUID in its canonical form: lower case with hyphens, no braces."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        """Return `value` unchanged, once it is canonical."""
        if not isinstance(value, str) or not _UUID.match(value):
            raise ValidationError("Must be a UUID in lower case with hyphens.")
        return value


class Choice(_Strict[str]):
    """One of a few words."""

    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        allowed = tuple(choices)
        super().__init__(validate=validate.OneOf(allowed, error="Must be one of: " + ", ".join(allowed)), **options)
        self.choices = allowed

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        """Return `value`, a text."""
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        return value


class Whole(_Strict[int]):
    """A whole number between `least` and `most`, both included. No texts, no 1.0, no booleans."""

    def __init__(self, *, least: int = 0, most: int = MOST_WHOLE, **options: Any) -> None:
        super().__init__(validate=validate.Range(least, most, error=f"Between {least} and {most}."), **options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        """Return `value`, an integer."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError("Must be a whole number.")
        return value


class WholeText(Whole):
    """`Whole` as a query parameter spells it: decimal digits only."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        """Return the number that `value` spells."""
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,16}", value):
            raise ValidationError("Must be a whole number.")
        return int(value)


class Exact(_Strict[Decimal]):
    """A decimal number with at most `places` places, from a JSON number or a text like "62.5"."""

    def __init__(self, *, least: int = 0, most: int = 10**9, places: int = 2, **options: Any) -> None:
        super().__init__(validate=validate.Range(least, most, error=f"Between {least} and {most}."), **options)
        self.least, self.most, self.places = least, most, places

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Decimal:
        """Return the number, exactly as written."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValidationError("Must be a number.")
        text = str(value)
        try:
            number = Decimal(text) if re.fullmatch(r"-?[0-9]{1,16}(\.[0-9]{1,16})?", text) else None
        except InvalidOperation:
            number = None
        if number is None or -int(number.as_tuple().exponent) > self.places:
            raise ValidationError(f"Must be a number with at most {self.places} decimal places.")
        return number

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        """Return the number as a text, so that nobody's floating point touches it."""
        return None if value is None else str(value)


class Flag(_Strict[bool]):
    """`true` or `false`; not 1, not "yes"."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        """Return `value`, a boolean."""
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class CivilDate(_Strict[date]):
    """A real date, `YYYY-MM-DD`, from 1900 to 2100."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        """Return the date."""
        try:
            made = date.fromisoformat(value) if isinstance(value, str) and _DATE.match(value) else None
        except ValueError:
            made = None
        if made is None or not EARLIEST_YEAR <= made.year <= LATEST_YEAR:
            raise ValidationError(f"Must be a real date, YYYY-MM-DD, from {EARLIEST_YEAR} to {LATEST_YEAR}.")
        return made

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        """Return the ISO form."""
        return value.isoformat() if isinstance(value, date) else value


class Instant(_Strict[datetime]):
    """An RFC 3339 instant with its offset; the result is UTC. From 1900 to 2100."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        """Return the instant in UTC."""
        try:
            made = datetime.fromisoformat(value) if isinstance(value, str) and _INSTANT.match(value) else None
            offset = made.utcoffset() if made else None
            if made is None or offset is None or abs(offset) > WIDEST_OFFSET:
                raise ValueError
            moment = made.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("Must be an RFC 3339 instant with an offset.") from error
        if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise ValidationError(f"Must be between {EARLIEST_YEAR} and {LATEST_YEAR}.")
        return moment

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        """Return RFC 3339 in UTC with a Z."""
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return None if value is None else str(value)


class Items(fields.List[Any]):
    """A list of at most `most` items, each read by `item`."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's own class attribute
        **_Strict.default_error_messages,
        "invalid": "Must be a list.",
    }

    def __init__(self, item: fields.Field[Any], *, most: int = MOST_ITEMS, least: int = 0, **options: Any) -> None:
        checks = validate.Length(least, most, error=f"Between {least} and {most} items.")
        super().__init__(item, validate=checks, **options)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        """Return the items, refusing a list that is too long before any item is read."""
        if not isinstance(value, list):
            raise ValidationError("Must be a list.")
        if len(value) > self.most:
            raise ValidationError(f"At most {self.most} items.")
        return super()._deserialize(value, attr, data, **kwargs)


class Part(fields.Nested):
    """An object inside an object, of another `StrictSchema`."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's own class attribute
        **_Strict.default_error_messages,
        "type": "Must be an object.",
    }


class Table(fields.Dict):
    """An object with names that are not known beforehand: `keys` and `values` are fields."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's own class attribute
        **_Strict.default_error_messages,
        "invalid": "Must be an object.",
    }
