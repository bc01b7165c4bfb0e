"""Who waits behind whom, as pg_blocking_pids names it. Pure."""

from collections.abc import Collection, Iterable, Mapping

Blockers = Mapping[int, frozenset[int]]
"""Each waiting pid, and those it waits for: holders and, in its queue, those before it. 0 is a prepared
transaction."""


def behind(blockers: Blockers, pids: Collection[int]) -> tuple[int, ...]:
    """Everybody who waits for one of `pids`, directly or through others; by pid.

    >>> line = {2: frozenset({1}), 3: frozenset({1, 2}), 4: frozenset({3}), 9: frozenset({8})}
    >>> behind(line, {1}), behind(line, {3}), behind(line, {7})
    ((2, 3, 4), (4,), ())
    """
    found: set[int] = set()
    reached = set(pids)
    while fresh := {w for w, held in blockers.items() if held & reached and w not in found}:
        found |= fresh
        reached = fresh
    return tuple(sorted(found - set(pids)))


def next_in_line(blockers: Blockers, gone: Collection[int]) -> tuple[int, ...]:
    """Those who wait for nobody else once `gone` are gone; by pid. They will then hold what they wait for.

    >>> line = {2: frozenset({1}), 3: frozenset({1, 2}), 5: frozenset({1, 8})}
    >>> next_in_line(line, {1}), next_in_line(line, {1, 8}), next_in_line(line, {7})
    ((2,), (2, 5), ())
    """
    away = frozenset(gone)
    return tuple(sorted(w for w, held in blockers.items() if held and held <= away and w not in away))


def roots(blockers: Blockers, pids: Iterable[int]) -> tuple[int, ...]:
    """Who `pids` wait for in the end: those on their way up who wait for nobody; by pid.

    >>> line = {2: frozenset({1}), 3: frozenset({2}), 5: frozenset({3, 8})}
    >>> line |= {6: frozenset({7}), 7: frozenset({6})}
    >>> roots(line, [3]), roots(line, [5]), roots(line, [1]), roots(line, [6])
    ((1,), (1, 8), (), ())
    """
    seen: set[int] = set()
    open_ends = [held for pid in pids for held in blockers.get(pid, ())]
    found: set[int] = set()
    while open_ends:
        pid = open_ends.pop()
        if pid in seen:
            continue
        seen.add(pid)
        above = blockers.get(pid)
        if above:
            open_ends.extend(above)
        else:
            found.add(pid)
    return tuple(sorted(found))


def stuck_behind(
    blockers: Blockers, gone: Collection[int], waiters: Iterable[int]
) -> dict[int, tuple[int, ...]]:
    """Those of `waiters` who will not get on when `gone` are gone, each with the other roots it waits for.

    >>> line = {2: frozenset({1}), 5: frozenset({2, 8})}
    >>> stuck_behind(line, {1}, [2, 5])
    {5: (8,)}
    """
    others = {w: tuple(r for r in roots(blockers, [w]) if r not in gone) for w in waiters}
    return {w: found for w, found in others.items() if found}


def named(pids: Iterable[int], most: int = 3) -> str:
    """Pids as people read them.

    >>> named([4377]), named([4377, 0]), named(range(1, 12))
    ('4377', '4377, a prepared transaction', '1, 2, 3 and 8 more')
    """
    listed = list(pids)
    text = ", ".join("a prepared transaction" if pid == 0 else str(pid) for pid in listed[:most])
    return text if len(listed) <= most else f"{text} and {len(listed) - most} more"
