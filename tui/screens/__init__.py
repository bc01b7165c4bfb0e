"""What a person meets: one module a screen."""
