"""Files of /proc, read apart. Pure."""

from opsdash.collectors.host.rows import Memory


def parse_memory(text: str) -> Memory | None:
    r"""/proc/meminfo; None when it lacks what is needed (MemAvailable came with Linux 3.14).

    >>> parse_memory("MemTotal: 1000 kB\nMemAvailable: 250 kB").available_ratio
    0.25
    >>> parse_memory("MemTotal: 1000 kB") is None
    True
    """
    fields: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        number = value.split()[:1]
        if number and number[0].isdecimal():
            fields[name] = int(number[0]) * 1024
    if "MemTotal" not in fields or "MemAvailable" not in fields:
        return None
    return Memory(
        total_bytes=fields["MemTotal"],
        available_bytes=fields["MemAvailable"],
        swap_total_bytes=fields.get("SwapTotal", 0),
        swap_free_bytes=fields.get("SwapFree", 0),
    )


def parse_oom_kills(text: str) -> int | None:
    r"""The counter oom_kill of /proc/vmstat; None where there is none (before Linux 4.13).

    >>> parse_oom_kills("nr_free_pages 12\noom_kill 3\n"), parse_oom_kills("nr_free_pages 12")
    (3, None)
    """
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdecimal():
            return int(value)
    return None


def parse_uptime(text: str) -> float | None:
    """/proc/uptime: seconds since the machine started.

    >>> parse_uptime("350735.47 234388.90"), parse_uptime("")
    (350735.47, None)
    """
    first = text.split()[:1]
    try:
        return float(first[0]) if first else None
    except ValueError:
        return None
