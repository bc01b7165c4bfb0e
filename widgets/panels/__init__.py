"""One panel module a kind of target: columns and composition."""
