"""What a new exchange lists: three coins as linear perpetuals and at spot, two of them as inverse perpetuals as well."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.instrument import Instrument, Kind


def _spot(base: str, price: str, step: str, most: int, most_at_market: int, depth: str) -> Instrument:
    return Instrument(
        f"{base}USDT:SPOT", base, "USDT", Decimal(price), Decimal("0.01"), Decimal(step), Decimal(step), Decimal(5), Decimal(most), Decimal(most_at_market),
        depth_quantity=Decimal(depth), max_leverage=1, kind=Kind.SPOT,
    )  # fmt: skip


def _linear(
    base: str, price: str, tick: str, step: str, least: int, most: int, most_at_market: int, depth: str,
    leverage: int, maintenance: str = "0.005",
) -> Instrument:  # fmt: skip
    return Instrument(
        f"{base}USDT", base, "USDT", Decimal(price), Decimal(tick), Decimal(step), Decimal(step), Decimal(least), Decimal(most), Decimal(most_at_market),
        depth_quantity=Decimal(depth), max_leverage=leverage, maintenance_rate=Decimal(maintenance),
    )  # fmt: skip


def _inverse(base: str, price: str, tick: str, leverage: int) -> Instrument:
    return Instrument(
        f"{base}USD:INVERSE", base, "USD", Decimal(price), Decimal(tick), Decimal(1), Decimal(1), Decimal(1), Decimal(50_000_000), Decimal(10_000_000),
        depth_quantity=Decimal(150_000), max_leverage=leverage, kind=Kind.INVERSE,
    )  # fmt: skip


def default_instruments() -> tuple[Instrument, ...]:
    """Return them; each spot and inverse market starts at the price of its linear sibling."""
    return (
        _linear("BTC", "64000.0", "0.1", "0.001", 100, 1000, 120, "2.5", 125),
        _linear("ETH", "3200.00", "0.01", "0.001", 20, 10_000, 2000, "40", 100),
        _linear("SOL", "160.00", "0.01", "0.01", 5, 100_000, 10_000, "600", 75, "0.01"),
        _spot("BTC", "64000.00", "0.00001", 9000, 100, "2.5"),
        _spot("ETH", "3200.00", "0.00001", 9000, 2000, "40"),
        _spot("SOL", "160.00", "0.001", 90_000, 10_000, "600"),
        _inverse("BTC", "64000.0", "0.1", 125),
        _inverse("ETH", "3200.00", "0.01", 100),
    )
