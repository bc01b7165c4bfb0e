"""The screens of the containers area."""
