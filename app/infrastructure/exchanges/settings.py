"""How venues are reached: addresses, time-outs, pools and the thresholds of the guards. Plain values, no defaults of a
deployment: who builds them decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """When a venue's clock may be trusted: a sample no older than `age_max_s`, known to within `uncertainty_max_ms`."""

    every_s: float = 10.0
    age_max_s: float = 30.0
    uncertainty_max_ms: int = 250


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """`failures` within `window_s` that are at least `share` of the calls open the circuit for `open_s`; then
    `probes` calls at a time find out whether it may close. A circuit that was opened on another worker's word, which a
    probe disproved, hears no such word for `deaf_s`.
    """

    failures: int = 10
    share: float = 0.5
    window_s: float = 10.0
    open_s: float = 5.0
    probes: int = 2
    deaf_s: float = 60.0


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """Reads only: `attempts` in all, waits drawn from [0, min(`cap_s`, `base_s` * 2^n)], none beyond `patience_s`."""

    attempts: int = 4
    base_s: float = 0.1
    cap_s: float = 2.0
    patience_s: float = 10.0


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """A connection is pinged every `heartbeat_s`, left after `idle_s` without a word, and `queue` events wait at most.

    `stable_s` is how long a connection must have lived for the next attempt to begin with the shortest wait.
    """

    heartbeat_s: float = 15.0
    idle_s: float = 3600.0
    connect_timeout_s: float = 10.0
    queue: int = 1000
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 30.0
    stable_s: float = 10.0
    renew_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """One venue. `wallet_url` serves what the trading host does not (the rights of a key); empty: the same host.

    `weight_per_minute` and `orders_per_10s` override the venue's published limits; `exit_share` of both is kept for
    exits. `routed_streams` says that the venue splits its streams by category (Binance USD-M in production since
    2026-04-23: its unrouted addresses accept connections and then send nothing). `burst_share` of a limit may be used at once, the rest flows evenly, so that no window exceeds the limit.
    """

    base_url: str
    ws_url: str
    wallet_url: str = ""
    routed_streams: bool = False
    egress: str = "default"
    connections: int = 200
    connections_warm: int = 8
    warm_every_s: float = 25.0
    keepalive_s: float = 60.0
    connect_timeout_s: float = 3.0
    order_timeout_s: float = 10.0
    read_timeout_s: float = 10.0
    read_window_ms: int = 5000
    listing_every_s: float = 3600.0
    marks_age_max_s: float = 10.0
    weight_per_minute: int | None = None
    orders_per_10s: int | None = None
    exit_share: float = 0.2
    burst_share: float = 0.5
    clock: ClockSettings = field(default_factory=ClockSettings)
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    retry: RetrySettings = field(default_factory=RetrySettings)
    stream: StreamSettings = field(default_factory=StreamSettings)
