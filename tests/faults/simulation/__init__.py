"""The deterministic simulation: the backbone's production code in a world of its own, played by a seed.

`world.py` is one run, `checker.py` what must hold, `variants.py` the broken designs that must be caught. Time, log and
store are simulated (`scheduler.py`, `broker.py`, `store*.py`); nothing here opens a socket, sleeps or reads a clock.
"""
