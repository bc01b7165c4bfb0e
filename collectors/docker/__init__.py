"""Docker engines: containers, their health, what they use and what they print."""
