"""Whether the service lives, whether it keeps its promises, and its numbers: nothing here is about a person."""

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from consent_track.activities import notifying, retaining
from consent_track.collector.segment import list_segments
from consent_track.domain.errors import StorageUnavailable

from .current import runtime

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@pages.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Ready, or what is overdue: a purge, a drain, an erasure that somebody was promised."""
    late = _late()
    return jsonify(ready=not late, overdue=late), 503 if late else 200


@pages.get("/metrics")
def metrics() -> Response:
    """Numbers for Prometheus, without any label that could be a person, a campaign or a decline (decision 12)."""
    registry = CollectorRegistry()
    config = runtime().config
    segments = list_segments(config.spool_dir / config.node)
    Gauge("consent_track_ready", "1 if nothing is overdue", registry=registry).set(not _late())
    Gauge("consent_track_spool_segments", "Segments waiting for the drain", registry=registry).set(len(segments))
    octets = sum(segment.path.stat().st_size for segment in segments if segment.path.exists())
    Gauge("consent_track_spool_octets", "Octets waiting for the drain", registry=registry).set(octets)
    try:
        with runtime().reading() as p:
            waiting = notifying.waiting(p)
    except StorageUnavailable:
        waiting = -1
    Gauge("consent_track_outbox_mails", "Our own mails not handed over yet; -1: unknown", registry=registry).set(
        waiting
    )
    return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")


def _late() -> list[str]:
    config = runtime().config
    spooled = bool(list_segments(config.spool_dir / config.node))
    try:
        with runtime().reading() as p:
            return [late.what for late in retaining.overdue(p, spooled)]
    except StorageUnavailable:
        return ["database"]
