"""The play: a partnership's whole term, through public doors only, with the roles that would really act.

Reads any scenario folder. It never opens a database and never asks a service for anything that a partner could not
ask. Nothing of one partnership stands in its code. `main.play` is the way in.
"""
