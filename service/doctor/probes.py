"""Whether this machine can look at uploads, and confine what does so."""

from __future__ import annotations

from service.doctor.findings import Finding, Severity
from service.render.probes import missing_limits
from service.services import Services


async def examine_probes(services: Services) -> list[Finding]:
    """Start a probe and ask it what it lacks; empty when nothing."""
    try:
        missing = await missing_limits(services.probes)
    except (OSError, RuntimeError):
        sentence = (
            "No process can be started to look at uploads, so they stay unexamined: raise the limit on processes."
        )
        return [Finding(Severity.WARNING, "probes_missing", sentence)]
    if not missing:
        return []
    sentence = f"This machine cannot fully confine the process that looks at uploads. Missing: {', '.join(missing)}."
    return [Finding(Severity.WARNING, "probes_unconfined", sentence)]
