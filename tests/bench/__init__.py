"""The benchmark: the platform's own code beside the bare driver calls that nobody can do without.

Everything in one run, on surroundings started for it, taken in turns; what counts is the ratio of the two. The doors
are `make bench` and `partnership bench`. A row is one module; `targets.py` says what each must reach, `sizes.py` how
much is measured, `docs/benchmark.md` how it is read.
"""
