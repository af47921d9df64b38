"""How a service's pages introduce themselves: its name, its first page, and where one can go from every page."""

from __future__ import annotations

from dataclasses import dataclass

from shared.identity import Principal, Resource, RoleTable, may


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation; shown to whoever may do `action` in their own organisation."""

    text: str
    address: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A service's pages as a whole.

    service: the name that stands at the top of every page.
    home: the address of the first page.
    places: the navigation, in order.
    sheets: addresses of further style sheets of the service's own.
    footer: one sentence for the bottom of every page, or nothing.
    """

    service: str
    home: str
    places: tuple[Place, ...] = ()
    sheets: tuple[str, ...] = ()
    footer: str = ""

    def places_for(self, principal: Principal | None, roles: RoleTable) -> tuple[Place, ...]:
        """Return the entries that somebody may follow; none for nobody."""
        if principal is None:
            return ()
        own = Resource(principal.organisation)
        return tuple(place for place in self.places if may(principal, place.action, own, roles))
