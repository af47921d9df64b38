"""One module for each side: run as a process, in the environment that `catalogue.py` names."""
