"""opsdash: one live, safe terminal screen for operations during an incident."""

__version__ = "0.1.0"
