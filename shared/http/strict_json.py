"""JSON as we take it from strangers: one meaning or none.

Refused: other encodings than UTF-8, duplicate keys, NaN and infinities, numbers of absurd length, deep nesting.
Lone surrogates and NUL are left to the text fields, which know where they stand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Final, NoReturn

from shared.http.errors import Unreadable

DEEPEST: Final = 32
LONGEST_NUMBER: Final = 400

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def parse(raw: bytes) -> Json:
    """Return the value that `raw` holds.

    Raises:
        Unreadable: with a text that says what kind of fault it is, and nothing of the content.
    """
    try:
        text = raw.decode("utf-8")
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise Unreadable("The body is not UTF-8.") from error
    except RecursionError as error:
        raise Unreadable(f"The body is nested deeper than {DEEPEST} levels.") from error
    except ValueError as error:
        raise Unreadable("The body is not JSON.") from error
    if _is_too_deep(value):
        raise Unreadable(f"The body is nested deeper than {DEEPEST} levels.")
    return value


def canonical(value: Json | Mapping[str, str]) -> bytes:
    """Return one spelling of `value`: the same for every order of keys and every spacing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Return an object, refusing a second value for a key."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unreadable("An object in the body has the same key twice.")
    return made


def _constant(_name: str) -> NoReturn:
    """Refuse NaN, Infinity and -Infinity."""
    raise Unreadable("NaN and infinities are not JSON.")


def _integer(text: str) -> int:
    """Return an integer of reasonable length."""
    if len(text) > LONGEST_NUMBER:
        raise Unreadable("A number in the body is too long.")
    return int(text)


def _float(text: str) -> float:
    """Return a finite number of reasonable length."""
    if len(text) > LONGEST_NUMBER or math.isinf(number := float(text)):
        raise Unreadable("A number in the body is too large.")
    return number


def _is_too_deep(value: Json) -> bool:
    """Return whether `value` has more than `DEEPEST` levels, without recursion."""
    level: list[Json] = [value]
    for _ in range(DEEPEST):
        level = [item for outer in level for item in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Json) -> list[Json]:
    """Return the containers directly inside `value`."""
    if isinstance(value, dict):
        return [item for item in value.values() if isinstance(item, dict | list)]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, dict | list)]
    return []
