"""HTTP endpoints: probes, their phases, what bodies say, and certificates."""
