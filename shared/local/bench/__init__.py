"""The smoke benchmark: the backbone's own code beside the bare driver calls that it cannot do without.

Everything in one run, on one local backbone started for it, taken in turns; what counts is the ratio of the two.
"""
