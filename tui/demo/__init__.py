"""Real PostgreSQL and Valkey servers, a shop that needs them, a live incident, and nothing left behind."""
