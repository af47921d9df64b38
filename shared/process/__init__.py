"""How a process of a service starts, learns its settings, stops and says how it is.

    python -m services.<name> api | consume | relay | worker | prepare

A service's `__main__.py` is `raise SystemExit(main("enrolment", PARTS))` with `PARTS = Parts(...)` (see `run.py`).
"""
