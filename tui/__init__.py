"""The app: command line, configuration, rules, guarded actions (headless half); screens and keys (screen half)."""
