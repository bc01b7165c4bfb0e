"""Rules: pure functions from what the feed holds to findings."""
