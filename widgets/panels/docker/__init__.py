"""Docker engines on the screen: columns of tables, lines of panels. Pure functions of snapshots."""
