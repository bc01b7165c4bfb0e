"""Which containers a finding is about. Pure."""

from opsdash.collectors.docker.rows import ContainerIdentity
from opsdash.collectors.finding import Finding
from opsdash.collectors.lines.place import LogPlace


def concerned(finding: Finding) -> frozenset[str]:
    """Ids of the containers that a finding on an engine is about; empty where it is about none."""
    if isinstance(finding.identity, LogPlace):
        return frozenset((finding.identity.source,))
    identities = (finding.identity, *(suggested.identity for suggested in finding.actions))
    return frozenset(i.id for i in identities if isinstance(i, ContainerIdentity))
