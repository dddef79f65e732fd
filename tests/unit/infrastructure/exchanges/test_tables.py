"""The tables that one venue's accounts share: opened keys, instruments, marks, venues."""

from __future__ import annotations

import json

import pytest

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.ports import Connected
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.binance.feed import BinanceFuturesFeed
from app.infrastructure.exchanges.binance.market import heard_marks
from app.infrastructure.exchanges.binance.wire.market import read_listing, read_mark_updates
from app.infrastructure.exchanges.instruments import InstrumentTable
from app.infrastructure.exchanges.keys import KeyRing
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.marks import MarkBook
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.registry import VENUES, VenuePool
from app.infrastructure.exchanges.settings import VenueSettings

BTC, ETH = Symbol("BTC-USDT"), Symbol("ETH-USDT")


class OpenVault:
    def __init__(self) -> None:
        self.opened: list[int] = []

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return key.secret.encode()

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        self.opened.append(account)
        return ApiKey("key", sealed.decode())


def test_keys_are_opened_once_and_the_least_used_is_dropped() -> None:
    vault = OpenVault()
    ring = KeyRing(vault, Venue.BINANCE_USDM, kept=2)
    for account in (1, 2, 1, 3, 1, 2):
        ring.key(AccountId(account), b"s", "H")
    assert vault.opened == [1, 2, 3, 2]
    assert len(ring) == 2


def test_a_new_blob_is_opened_anew_and_a_revoked_key_forgotten() -> None:
    vault = OpenVault()
    ring = KeyRing(vault, Venue.BINANCE_USDM, kept=9)
    assert ring.key(AccountId(1), b"old", "H").secret == b"old"
    assert ring.key(AccountId(1), b"new", "H").secret == b"new"
    ring.forget(AccountId(1))
    assert len(ring) == 0


def test_an_opened_key_shows_nothing() -> None:
    key = KeyRing(OpenVault(), Venue.BINANCE_USDM, 1).key(AccountId(1), b"hidden-secret", "H")
    assert "hidden" not in repr(key)
    assert "key'" not in repr(key)


def contract(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "symbol": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "1000"},
            {"filterType": "MARKET_LOT_SIZE", "stepSize": "0.001", "minQty": "0.002", "maxQty": "120"},
            {"filterType": "MIN_NOTIONAL", "notional": "100"}, {"filterType": "NEW_ONE", "limit": 5},
        ],
    }  # fmt: skip
    return {**row, **change}


def listing(*rows: object) -> Listing:
    return read_listing(json.dumps({"symbols": rows}).encode(), Venue.BINANCE_USDM)


def test_market_orders_obey_both_lots() -> None:
    found = listing(contract()).instruments[0]
    assert (found.quantity_min, found.quantity_max) == (quantity("0.002"), quantity(120))
    assert (found.tick, found.notional_min, found.symbol) == (price("0.1"), money(100), BTC)


@pytest.mark.parametrize(
    "change",
    [{"contractType": "CURRENT_QUARTER"}, {"filters": []}, {"baseAsset": "ü"}, {"symbol": "BTC&x=1"}],
)
def test_what_is_no_readable_perpetual_is_left_out(change: dict[str, object]) -> None:
    found = listing(contract(), contract(**{"symbol": "OTHERUSDT", "baseAsset": "OTHER", **change}))
    assert [entry.symbol for entry in found.instruments] == [BTC]
    assert set(found.names) == {"BTCUSDT"}


def test_a_halted_contract_keeps_its_name_but_is_not_traded() -> None:
    found = listing(contract(), contract(symbol="ETHUSDT", baseAsset="ETH", status="SETTLING"))
    assert found.names["ETHUSDT"] == ETH
    assert [entry.symbol for entry in found.instruments] == [BTC]


def test_a_listing_without_contracts_is_no_answer() -> None:
    with pytest.raises(Unreadable):
        listing()


async def test_the_table_asks_once_and_a_stranger_once_a_minute() -> None:
    now, asked = [0.0], [0]

    async def load() -> Listing:
        asked[0] += 1
        return listing(contract())

    table = InstrumentTable(load, lambda: now[0])
    for _ in range(5):
        assert (await table.instrument(BTC)).symbol == BTC
        with pytest.raises(NotFound):
            await table.instrument(ETH)
    assert asked == [1]
    now[0] = 61.0
    with pytest.raises(NotFound):
        await table.instrument(ETH)
    assert asked == [2]


async def test_a_venue_away_leaves_the_table_as_it_was() -> None:
    answers: list[Listing | VenueUnavailable] = [listing(contract()), VenueUnavailable("away")]

    async def load() -> Listing:
        answer = answers.pop(0)
        if isinstance(answer, VenueUnavailable):
            raise answer
        return answer

    table = InstrumentTable(load, lambda: 0.0)
    await table.ready()
    with pytest.raises(VenueUnavailable):
        await table.refresh()
    assert (await table.instrument(BTC)).symbol == BTC


def test_each_mark_has_an_age_of_its_own() -> None:
    now = [0]
    book = MarkBook(lambda: now[0])
    book.hear({BTC: price(1), ETH: price(2)})
    now[0] = 700
    book.hear({BTC: price(3)})
    assert (book.mark(BTC), book.mark(ETH), book.oldest_ms) == ((price(3), 0), (price(2), 700), 700)
    book.hear({BTC: price(4)}, everything=True)
    with pytest.raises(NotFound):
        book.mark(ETH)


def test_marks_of_strangers_and_of_zero_are_left_out() -> None:
    raw = b'[{"s":"BTCUSDT","p":"5.5"},{"s":"ETHUSDT","p":"0.00"},{"s":"WHO","p":"x"}]'
    assert read_mark_updates(raw, {"BTCUSDT": BTC, "ETHUSDT": ETH}) == {BTC: price("5.5")}


def test_marks_that_cannot_be_read_tell_nothing() -> None:
    assert heard_marks(b"{}", {"BTCUSDT": BTC}) == {}


def test_an_unreadable_stream_message_counts_as_a_gap() -> None:
    settings = VenueSettings(base_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1")
    pool = VenuePool({Venue.BINANCE_USDM: settings}, OpenVault())
    stream = pool.stream(AccountId(1), Venue.BINANCE_USDM, b"")
    assert isinstance(stream, BinanceFuturesFeed)
    (event,) = stream._read(b'{"e":"ORDER_TRADE_UPDATE","o":{}}')
    assert isinstance(event, Connected)


def test_every_venue_has_a_row() -> None:
    assert set(VENUES) == set(Venue)


def test_a_venue_without_an_address_is_not_found() -> None:
    with pytest.raises(NotFound):
        VenuePool({}, OpenVault()).gateway(AccountId(1), Venue.BINANCE_USDM, b"")


def test_venues_that_an_address_is_counted_over_together_share_one_budget() -> None:
    pools = {venue: row.weight_pool or venue.value for venue, row in VENUES.items()}
    assert pools[Venue.BINANCE_USDM] == pools[Venue.BINANCE_COINM] != pools[Venue.BINANCE_SPOT]
    assert len({pools[venue] for venue in Venue if venue.value.startswith("bybit-")}) == 1
    limits = {(pool, CAPABILITIES[venue].weight_per_ip_minute) for venue, pool in pools.items()}
    assert len(limits) == len(set(pools.values())), "one pool has one limit"
