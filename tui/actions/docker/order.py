"""What of a project must run before what, by what compose wrote on the containers. Pure."""

from collections.abc import Mapping, Sequence

from opsdash.tui.actions.docker.inspection import Seen


def by_dependency(chosen: Sequence[Seen]) -> list[Seen]:
    """Containers so that each comes after those that its service depends on; else by name.

    Compose 1 does not write dependencies on containers: then it is by name alone.
    """
    wanted = {seen.compose.service: seen.compose.depends_on for seen in chosen if seen.compose is not None}
    rank = ranks(wanted)
    return sorted(chosen, key=lambda seen: (rank[seen.compose.service] if seen.compose else 0, seen.name))


def ranks(depends_on: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many steps each service is away from one that needs nobody. A circle has no order, but ends.

    >>> ranks({"web": ["api"], "api": ["db", "mq"], "db": [], "mq": ["db"]})
    {'web': 3, 'api': 2, 'db': 0, 'mq': 1}
    >>> ranks({"a": ["b"], "b": ["a"], "c": ["not there"]})
    {'a': 3, 'b': 3, 'c': 0}
    """
    rank = dict.fromkeys(depends_on, 0)
    for _ in depends_on:  # each round takes the ranks one step further up
        rank = {
            name: max((rank[each] + 1 for each in below if each in rank), default=0)
            for name, below in depends_on.items()
        }
    return rank
