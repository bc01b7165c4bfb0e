"""How it looks: draws the values of collectors. Never a client library, never I/O."""
