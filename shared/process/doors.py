"""Where other instances answer: the addresses this instance knows. It opens no connection."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from shared.errors import Malformed
from shared.partnership import Partnership
from shared.process.settings import CommonSettings


class Doors:
    """Base addresses by organisation and service.

    The instance's own doors file comes first (by organisation and service, or by service for everybody), then the
    partnership file's doors.
    """

    def __init__(self, given: CommonSettings, partnership: Partnership) -> None:
        """Read the doors file, if the settings name one.

        Raises:
            Malformed: it is no JSON object of addresses.
        """
        self._own = _doors_file(given)
        self._partnership = partnership

    def base_of(self, organisation: str, service: str) -> str | None:
        """Return the base address (`https://host`, no `/v1`) of an organisation's instance, None where unknown."""
        special = self._own.get(organisation)
        if isinstance(special, Mapping) and service in special:
            return special[service]
        everybody = self._own.get(service)
        if isinstance(everybody, str):
            return everybody
        return self._partnership.doors.get(organisation, {}).get(service)


def _doors_file(given: CommonSettings) -> Mapping[str, str | Mapping[str, str]]:
    if given.doors_file is None:
        return {}
    try:
        return msgspec.json.decode(given.doors_file.read_bytes(), type=dict[str, str | dict[str, str]])
    except (OSError, msgspec.DecodeError) as error:
        raise Malformed("DOORS_FILE is not a JSON object of addresses.") from error
