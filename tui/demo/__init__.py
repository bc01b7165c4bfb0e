"""Two real PostgreSQL servers with a live incident to solve, and nothing left behind."""
