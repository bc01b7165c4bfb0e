"""The benchmark (`make bench`): opsdash beside pg_activity, on one server, in one run.

Figures are printed with their goals, never asserted.
"""
