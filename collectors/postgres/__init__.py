"""PostgreSQL: sessions, locks, connections and counters of one server."""
