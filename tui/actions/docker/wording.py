"""The lines of a plan: what will be sent, what it hits, what is lost, who notices. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from opsdash.collectors.docker.rows import ServiceIdentity
from opsdash.collectors.format import duration, plural
from opsdash.tui.actions.action import PlanLine
from opsdash.tui.actions.docker.deeds import Deed, loops, state_words
from opsdash.tui.actions.docker.follow import Patience, limit_s
from opsdash.tui.actions.docker.inspection import Seen
from opsdash.tui.actions.docker.sighting import Sighting

_ROWS = 20
"""Containers that a plan names one by one."""
_NAMES = 6


def line(label: str, text: str, *, is_warning: bool = False) -> PlanLine:
    """One labelled fact of a plan."""
    return PlanLine(label=label, text=text, is_warning=is_warning)


def names(found: Sequence[str]) -> str:
    """Some names, and how many more there are.

    >>> names(["a", "b"]), names([*"abcdefgh"])
    ('a, b', 'a, b, c, d, e, f and 2 more')
    """
    more = f" and {len(found) - _NAMES} more" if len(found) > _NAMES else ""
    return ", ".join(found[:_NAMES]) + more


def _s(verb: str, found: Sequence[str]) -> str:
    """The verb for one or for several.

    >>> _s("use", ["a"]), _s("use", ["a", "b"])
    ('uses', 'use')
    """
    return f"{verb}s" if len(found) == 1 else verb


def one(deed: Deed, seen: Seen, now: Sighting, patience: Patience) -> Iterator[PlanLine]:
    """What a plan says of a single container."""
    id = seen.id[:12]
    query = "?signal=SIGKILL" if deed is Deed.KILL else ""
    yield line(
        "will run",
        f"POST /containers/{id}/{deed.value}{query} (docker {deed.value} {seen.name}){_signals(deed, seen)}",
    )
    yield line("it is", _it_is(seen, now.now))
    if seen.health == "unhealthy" and seen.health_output:
        yield line("its check", f"said last: {seen.health_output}")
    yield from _lost(deed, [seen])
    yield from _affected(deed, seen, now)
    yield from _then(deed, [seen])
    yield _seen_by(deed, [seen], patience)
    yield _undo(deed, [seen])
    yield from _identity([seen], now)
    yield _window()


def many(
    deed: Deed, chosen: Sequence[Seen], now: Sighting, patience: Patience, of: Sequence[ServiceIdentity]
) -> Iterator[PlanLine]:
    """What a plan says of several containers."""
    yield line(
        "will run",
        f"POST /containers/…/{deed.value} (docker {deed.value}) for each of {len(chosen)}, one after the "
        f"other in this order, each re-checked before{_goes_on(deed)}",
    )
    for seen in chosen[:_ROWS]:
        yield line("hits", f"{seen.name} {seen.id[:12]} · {state_words(seen, now.now)}")
    if len(chosen) > _ROWS:
        yield line("hits", f"and {len(chosen) - _ROWS} more")
    yield from _lost(deed, chosen)
    yield from _services(deed, chosen, now)
    yield from _shared_networks(deed, chosen, now)
    yield from _then(deed, chosen)
    yield _seen_by(deed, chosen, patience)
    yield _undo(deed, chosen)
    if of:
        yield line("not hit", f"containers of {names([*map(str, of)])} that appear after this plan")
    yield from _identity(chosen, now)
    yield _window()


def _goes_on(deed: Deed) -> str:
    if deed is not Deed.RESTART:
        return ""
    return "; after one that serves now it waits until that serves again, and stops if it does not"


def _signals(deed: Deed, seen: Seen) -> str:
    if deed is Deed.KILL:
        return ": SIGKILL at once"
    if deed not in (Deed.STOP, Deed.RESTART) or not seen.is_up:
        return ""
    if seen.stop_timeout_s < 0:
        return f": {seen.stop_signal}, and waits for its end without a limit"
    return f": {seen.stop_signal}, and SIGKILL if it has not ended after {seen.stop_timeout_s} s"


def _it_is(seen: Seen, now: datetime) -> str:
    compose = seen.compose
    parts = [
        f"{compose.project}/{compose.service}" if compose is not None else "no compose service",
        f"image {seen.image}",
        state_words(seen, now),
        f"restart policy {seen.policy}",
        plural(seen.restarts, "restart") + " by it" if seen.restarts else "",
    ]
    return " · ".join(part for part in parts if part)


def _lost(deed: Deed, chosen: Sequence[Seen]) -> Iterator[PlanLine]:
    its, has = ("its", "has") if len(chosen) == 1 else ("their", "have")
    if deed is Deed.PAUSE:
        yield line("lost", f"nothing; but {its} clients wait until they time out, and no health check runs")
        return
    if not deed.ends_a_run or not any(seen.is_up for seen in chosen):
        yield line("lost", "nothing")
        return
    text = f"what {its} processes hold in memory, open connections and the requests in them"
    if deed is Deed.KILL:
        text += "; nothing is written or closed properly: what was not on disk yet is gone"
    yield line("lost", f"{text}. Files and volumes stay")
    if tmpfs := [f"{seen.name} {path}" for seen in chosen for path in seen.tmpfs]:
        yield line("lost", f"files in memory (tmpfs): {names(tmpfs)}", is_warning=True)
    removed = [seen.name for seen in chosen if seen.is_removed_at_end]
    if removed and deed is not Deed.RESTART:
        text = f"{names(removed)} {has} --rm: the engine removes what stops, with all its files"
        yield line("lost", text, is_warning=True)


def _affected(deed: Deed, seen: Seen, now: Sighting) -> Iterator[PlanLine]:
    others = now.others_of_service(seen)
    if seen.compose is not None and deed is not Deed.START and deed is not Deed.UNPAUSE:
        serving = [each.name for each in others if each.serves]
        if others:
            bad = [f"{each.name} ({each.status})" for each in others if not each.serves]
            text = f"{names(serving)} of the same service {'goes' if len(serving) == 1 else 'go'} on"
            text = text if serving else "nobody else of its service serves"
            text += f"; not serving: {names(bad)}" if bad else ""
            yield line("affected", text, is_warning=bool(bad))
        else:
            yield line("affected", "it is the only container of its service", is_warning=True)
    if deed is not Deed.START and (dependents := now.depending_on(seen)):
        text = f"{names(dependents)} {_s('depend', dependents)} on its service, and nothing is done to that"
        yield line("affected", text, is_warning=True)
    yield from _shared_networks(deed, [seen], now)


def _shared_networks(deed: Deed, chosen: Sequence[Seen], now: Sighting) -> Iterator[PlanLine]:
    if not deed.ends_a_run:
        return
    for seen in chosen:
        if sharing := now.in_network_of(seen.id):
            text = f"{names(sharing)} {_s('use', sharing)} the network of {seen.name}"
            yield line("affected", f"{text}, and is cut off until restarted too", is_warning=True)


def _services(deed: Deed, chosen: Sequence[Seen], now: Sighting) -> Iterator[PlanLine]:
    """Who serves on in each service of which something is hit."""
    if deed in (Deed.START, Deed.UNPAUSE):
        return
    hit = {seen.id for seen in chosen}
    found = {
        ServiceIdentity(c.project, c.service) for c in (seen.compose for seen in chosen) if c is not None
    }
    emptied: list[str] = []
    for service in sorted(found, key=str):
        on = [each.name for each in now.members(service) if each.serves and each.id not in hit]
        if on:
            yield line("affected", f"of {service} {names(on)} {'goes' if len(on) == 1 else 'go'} on")
        else:
            emptied.append(str(service))
    if emptied and deed is Deed.RESTART:
        text = f"all containers of {names(emptied)} that serve are hit: each is away while it restarts"
        yield line("affected", text, is_warning=True)
    elif emptied:
        yield line("affected", f"nobody of {names(emptied)} serves afterwards", is_warning=True)


def _then(deed: Deed, chosen: Sequence[Seen]) -> Iterator[PlanLine]:
    """What the restart policy makes of it."""
    if deed not in (Deed.STOP, Deed.KILL):
        return
    policies = sorted({seen.policy for seen in chosen} - {"no"})
    if not policies:
        yield line("then", "it stays so: there is no restart policy")
        return
    text = f"the restart policy ({', '.join(policies)}) does not bring back what was {deed.done} by hand"
    if "always" in policies:
        text += "; the next start of the engine does (always)"
    yield line("then", text)


def _seen_by(deed: Deed, chosen: Sequence[Seen], patience: Patience) -> PlanLine:
    """How it will be known that it worked."""
    if deed not in (Deed.RESTART, Deed.START):
        end = "has ended, with its exit code" if deed.ends_a_run else f"is {deed.done}"
        return line("verified", f"the engine is asked until it says that it {end}")
    checked = [seen for seen in chosen if seen.check is not None]
    unchecked = f"that it runs for {patience.settle_s:g} s is all that can be seen, not whether it serves"
    if not checked:
        return line("verified", f"a new start time; there is no health check: {unchecked}")
    longest = duration(max(limit_s(seen, patience) for seen in checked))
    text = f"a new start time, then healthy by its own check, within {longest}"
    if len(checked) < len(chosen):
        text += f"; {plural(len(chosen) - len(checked), 'one', 'ones')} without a check: {unchecked}"
    return line("verified", text)


def _undo(deed: Deed, chosen: Sequence[Seen]) -> PlanLine:
    match deed:
        case Deed.START:
            return line("undo", Deed.STOP.spec.title)
        case Deed.PAUSE:
            return line("undo", Deed.UNPAUSE.spec.title)
        case Deed.UNPAUSE:
            return line("undo", Deed.PAUSE.spec.title)
        case Deed.RESTART:
            return line("undo", "none")
    gone = all(seen.is_removed_at_end for seen in chosen)
    return line("undo", "none" if gone else f"none for what is lost; {Deed.START.spec.title} starts it again")


def _identity(chosen: Sequence[Seen], now: Sighting) -> Iterator[PlanLine]:
    if looping := [seen.name for seen in chosen if loops(seen, now.now)]:
        text = f"{names(looping)}: a restart loop; it stays the same while only its policy restarts it"
        yield line("identity", text)
    if any(seen.compose is not None for seen in chosen):
        ids = "id" if len(chosen) == 1 else "ids"
        yield line("identity", f"the {ids}: compose gives names to new containers, and those are not hit")


def _window() -> PlanLine:
    text = (
        "id and start time are read again on the same connection right before; the engine takes no "
        "condition, so that it is restarted in the milliseconds between cannot be excluded"
    )
    return line("window", text)
