"""The logs area: lines of all sources in one view, and the list of the sources."""
