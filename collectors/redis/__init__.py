"""Redis and Valkey: memory, clients, rates, slow commands, persistence and replication of one server."""
