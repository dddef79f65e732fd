"""The public side: GET /api/v5/public/instruments, /public/mark-price, /market/tickers, /public/time, and the stream's
`mark-price` and `tickers` channels.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, MarketKind, Symbol, symbol
from app.domain.shared.money import NO_MONEY, Price, Quantity, exact
from app.infrastructure.exchanges.okx.wire.answer import Answer, milliseconds, only_row, rows_of
from app.infrastructure.exchanges.okx.wire.socket import PONG
from app.infrastructure.exchanges.okx.wire.terms import QUOTE, Contracts, Terms
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, number, read, size

TIME_PATH: Final = "/api/v5/public/time"
_MARKS: Final = ("mark-price", "tickers")
_QUANTITY_MAX: Final = Decimal(10) ** 17


class _Contract(msgspec.Struct, frozen=True, rename="camel"):
    inst_id: str
    state: str
    tick_sz: str
    lot_sz: str
    min_sz: str
    max_lmt_sz: str
    max_mkt_sz: str
    base_ccy: str = ""
    quote_ccy: str = ""
    settle_ccy: str = ""
    ct_type: str = ""
    ct_val: str = ""
    ct_mult: str = ""
    ct_val_ccy: str = ""
    uly: str = ""
    lever: str = ""


class _Mark(msgspec.Struct, frozen=True, rename="camel"):
    inst_id: str
    mark_px: str = ""
    last: str = ""


class _Clock(msgspec.Struct, frozen=True):
    ts: str


class _Argument(msgspec.Struct, frozen=True):
    channel: str = ""


class _Message(msgspec.Struct, frozen=True):
    arg: _Argument = _Argument()
    event: str = ""
    data: list[_Mark] = []


_CONTRACTS: Final = msgspec.json.Decoder(Answer[msgspec.Raw])
_CONTRACT: Final = msgspec.json.Decoder(_Contract)
_ANSWERED_MARKS: Final = msgspec.json.Decoder(Answer[_Mark])
_CLOCK: Final = msgspec.json.Decoder(Answer[_Clock])
_MESSAGE: Final = msgspec.json.Decoder(_Message)


def listing_path(terms: Terms) -> str:
    """Return the path of everything listed of one kind."""
    return f"/api/v5/public/instruments?instType={terms.inst_type}"


def marks_path(terms: Terms) -> str:
    """Return the path of all marks: mark prices of contracts, last prices at spot."""
    where = "market/tickers" if terms.is_spot else "public/mark-price"
    return f"/api/v5/{where}?instType={terms.inst_type}"


def read_listing(terms: Terms, body: bytes) -> tuple[list[Instrument], Contracts]:
    """Read what is listed in or against USDT: what may be traded now, and the names of all. Others are left out, and a
    contract that cannot be read does not hide the rest.
    """
    instruments: list[Instrument] = []
    names: dict[str, Symbol] = {}
    sizes: dict[str, Decimal] = {}
    for raw in rows_of(_CONTRACTS, body):
        try:
            row = read(_CONTRACT, bytes(raw))
            ours = _symbol(row, terms)
            if ours is None:
                continue
            instrument = _instrument(row, ours, terms)
        except (InvalidValue, Unreadable):
            continue
        names[row.inst_id], sizes[row.inst_id] = ours, instrument.contract_size
        if row.state == "live":
            instruments.append(instrument)
    return instruments, Contracts(names, sizes)


def _symbol(row: _Contract, terms: Terms) -> Symbol | None:
    if terms.is_spot:
        ours, name = f"{row.base_ccy}-{row.quote_ccy}", f"{row.base_ccy}-{row.quote_ccy}"
        fits = row.quote_ccy == QUOTE
    else:
        ours, name = row.uly, f"{row.uly}-SWAP"
        fits = (
            row.ct_type == "linear"
            and row.settle_ccy == QUOTE
            and row.ct_val_ccy == row.uly.partition("-")[0]
        )
    return symbol(ours) if fits and row.inst_id == name else None


def _instrument(row: _Contract, ours: Symbol, terms: Terms) -> Instrument:
    one = (
        Decimal(1)
        if terms.is_spot
        else number(row.ct_val, "contract size") * number(row.ct_mult or "1", "multiplier")
    )
    leverage = number(row.lever or "1", "greatest leverage")
    if not 1 <= leverage < 10_000:
        raise Unreadable("a senseless leverage")
    most = size(row.max_lmt_sz, "maximum")
    if not terms.is_spot:  # at spot the greatest market order is stated in USDT
        most = min(most, size(row.max_mkt_sz, "market maximum"))
    return Instrument(
        venue=terms.venue,
        symbol=ours,
        venue_symbol=row.inst_id,
        tick=number(row.tick_sz, "tick"),
        step=exact(number(row.lot_sz, "step") * one),
        quantity_min=Quantity(exact(size(row.min_sz, "minimum") * one)),
        quantity_max=Quantity(exact(min(most * one, _QUANTITY_MAX))),
        notional_min=NO_MONEY,
        leverage_max=1 if terms.kind is MarketKind.SPOT else int(leverage),
        kind=terms.kind,
        contract_size=exact(one),
        settle=QUOTE,
    )


def read_marks(names: Names, body: bytes) -> dict[Symbol, Price]:
    """Read the mark of every contract that we know."""
    return _marks(rows_of(_ANSWERED_MARKS, body), names)


def read_mark_message(raw: bytes, names: Names) -> dict[Symbol, Price]:
    """Read one message of the stream; answers to subscriptions and pings tell no marks."""
    if raw == PONG:
        return {}
    message = read(_MESSAGE, raw)
    return _marks(message.data, names) if not message.event and message.arg.channel in _MARKS else {}


def _marks(rows: list[_Mark], names: Names) -> dict[Symbol, Price]:
    found: dict[Symbol, Price] = {}
    for row in rows:
        ours, told = names.get(row.inst_id), row.mark_px or row.last
        mark = number(told, "mark price") if ours is not None and told else ZERO
        if ours is not None and mark > ZERO:
            found[ours] = Price(mark)
    return found


def read_server_time(body: bytes) -> int:
    """Return the venue's clock in epoch milliseconds."""
    return milliseconds(only_row(_CLOCK, body).ts, "the venue's time")
