"""Log files: found by pattern, followed through rotation, held in memory."""
