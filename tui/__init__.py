"""The app: the headless half (command line, rules, guarded actions) and the screens."""
