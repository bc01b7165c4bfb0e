"""How opsdash sees: everything in here only reads, and never imports textual or rich."""
