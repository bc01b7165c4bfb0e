"""Lines of logs on the screen: the panel of the overview. Pure functions of snapshots."""
