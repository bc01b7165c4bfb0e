"""The screens of the cache area."""
