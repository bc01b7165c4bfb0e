"""The screens of the database area."""
