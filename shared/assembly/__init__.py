"""The shared rooms put together into the parts that every service has: application, relay, reader, databases.

Only a service's `bootstrap.py` comes here. What is special about a service stays in its own bootstrap; nothing here
knows one. The parts load what they need when they are made: a relay has no use for a web framework.
"""

from shared.assembly.parts import RelayPart, hosted_owners, make_reader, prepare_databases, unit_of_work
from shared.assembly.start_checks import check_start
from shared.assembly.web import make_app

__all__ = ["RelayPart", "check_start", "hosted_owners", "make_app", "make_reader", "prepare_databases", "unit_of_work"]
