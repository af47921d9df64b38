"""Ports for what nobody calls by hand: free, another one each time, none that outgoing connections take."""

import socket

import pytest

from shared.errors import Unavailable
from shared.local import ports
from shared.local.ports import LOOPBACK, any_free, is_free, needed, preferred

LOWEST_OF_OUTGOING = 32_768


def test_any_free_is_another_one_each_time_and_below_those_of_outgoing_connections():
    """Three servers that are given two each before any of them listens do not meet."""
    found = [any_free() for _ in range(200)]
    assert len(set(found)) == 200
    assert max(found) < LOWEST_OF_OUTGOING
    assert all(is_free(port) for port in found[-5:])


def test_taken_port_is_passed_over(monkeypatch):
    """Who listens is left alone, and when all are taken that is said."""
    with socket.create_server((LOOPBACK, 0)) as taken, socket.create_server((LOOPBACK, 0)) as other:
        held, free = taken.getsockname()[1], any_free()
        monkeypatch.setattr(ports, "_NOBODYS", range(held, held + 2))
        monkeypatch.setattr(ports, "_PORTS", iter([held, free]))
        assert preferred(held) == free
        monkeypatch.setattr(ports, "_PORTS", iter([held, other.getsockname()[1]]))
        with pytest.raises(Unavailable, match="end what listens there"):
            any_free()
        with pytest.raises(Unavailable, match="PORT_BASE"):
            needed(held, "enrolment")
