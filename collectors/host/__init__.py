"""The machine that opsdash runs on: disks, load, memory, kernel OOM kills."""
