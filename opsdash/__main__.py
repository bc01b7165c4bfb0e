"""`python -m opsdash` is the same as the command `opsdash`."""

from opsdash.tui.cli import main

raise SystemExit(main())
