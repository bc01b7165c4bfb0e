"""PostgreSQL on the screen: columns of its tables, lines of its panels. Pure functions of snapshots."""
