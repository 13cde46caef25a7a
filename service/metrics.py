"""Figures for operators: requests by route template and status, and how long they took. No id, name or address."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

METHODS = frozenset({"DELETE", "GET", "PATCH", "POST", "PUT"})
BUCKETS_S = (0.005, 0.02, 0.1, 0.5, 2, 10, 60)


class Metrics:
    """The figures of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "muniment_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "muniment_request_seconds", "Time to the last byte.", ("route",), buckets=BUCKETS_S, registry=self.registry
        )

        self._kept: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (method if method in METHODS else "OTHER", route, status)
        kept = self._kept.get(key)
        if kept is None:  # looking a label up costs more than counting
            kept = self._kept[key] = (self._requests.labels(*map(str, key)), self._seconds.labels(route))
        kept[0].inc()
        kept[1].observe(seconds)
