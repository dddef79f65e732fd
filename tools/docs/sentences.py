"""What settings and database tables are for: the sentences that the code itself has no place for.

Each table is total: a setting or a database table without a sentence, or a sentence without its subject, fails the
generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SETTINGS: Final[Mapping[str, str]] = {
    "database_url": "PostgreSQL, as `postgresql://user:password@host:5432/name`. `DATABASE_URL` is understood as well.",
    "redis_url": "Valkey or Redis, as `redis://:password@host:6379/0`. `REDIS_URL` is understood as well.",
    "vault_keys": "JSON object from a key's name to 32 random bytes as base64url. Old names stay as long as blobs sealed "
    "under them exist.",
    "vault_active": "The name of the vault key that new blobs are sealed under.",
    "id_secret": "Keys the client order ids, 16 characters at least. Never change it while orders are open: what was sent "
    "is found again by its id.",
    "venues": "JSON object from a venue to its options, see below. A venue that is absent cannot be traded.",
    "limits": "JSON object with the operator's limits, see below.",
    "entry_ttl_s": "How many seconds after the leader's fill an entry may still be copied.",
    "unprotected_max_s": "How many seconds a position may lack the stop that it wants before that is told, and acted on where the follow's terms say so.",
    "reconcile_every_s": "How many seconds an account rests between two comparisons with its venue; a trade by somebody else, "
    "and a stream that came back, bring its turn forward.",
    "drift_looks": "On how many looks a difference that nothing explains must be the same before it is acted upon: entries on "
    "the market are refused, or the wallet is adjusted.",
    "drift_spread_s": "How many seconds those looks must span at least.",
    "burst_quiet_ms": "A leader's burst is decided when no fill has come for so many milliseconds.",
    "burst_open_max_ms": "A leader's burst is decided at the latest so many milliseconds after its first fill.",
    "chunk_max": "The most followers that are reserved and committed in one transaction.",
    "worker_threads": "How many tasks one worker serves at a time.",
    "hot_pool": "Database connections of each program.",
    "metrics_port": "Port on 127.0.0.1 where a worker or the feed serves its metrics; 0: none. Each program on a machine needs its own.",
    "log_level": "The least severe line that is logged.",
    "log_format": "`json` for machines, `console` for people.",
}

VENUE_OPTIONS: Final[Mapping[str, str]] = {
    "base_url": "Address of the REST API.",
    "ws_url": "Address of the streams.",
    "wallet_url": "Address that tells what an API key may do, where it is another one (Binance: the spot host); empty: "
    "`base_url`.",
    "validity_ms": "Window behind the signed timestamp in which the venue accepts an order; null: the venue's published "
    "figure.",
    "engine_timeout_ms": "How long an accepted order may still be on its way inside the venue; null: the published figure.",
    "clock_error_ms": "Allowance for the difference of clocks in the fence.",
    "absence_answers": "How many negative answers prove that an order is absent.",
    "absence_spread_ms": "How far apart those answers must be.",
    "visibility_bound_ms": "Your word that an accepted order is visible to queries within this time. Null: absence is "
    "assumed, never proven, and no entry is sent again.",
    "routed_streams": "The venue splits its streams by category: true for Binance USD-M in production.",
    "connections": "The most connections of one program to the venue.",
    "weight_per_minute": "Request weight per minute of one address; null: the published figure.",
    "orders_per_10s": "Orders per ten seconds of one account; null: the published figure.",
    "mark_age_max_s": "How old a mark price may be for an entry to be sized by it.",
}

LIMITS: Final[Mapping[str, str]] = {
    "order_notional_max": "Notional of one order, quote currency.",
    "symbol_notional_max": "Notional of one account on one market, quote currency.",
    "total_notional_max": "Notional of one account on all markets, quote currency.",
    "daily_loss_max": "Realised loss of one account in a UTC day, quote currency.",
    "drawdown_max": "Fall of an account's wallet below its high-water mark, as a ratio.",
    "leverage_max": "Leverage of one order.",
    "positions_max": "Open markets of one account.",
}

TABLES: Final[Mapping[str, str]] = {
    "users": "People: operators and followers.",
    "api_tokens": "API tokens; only their SHA-256 is kept.",
    "accounts": "Trading accounts at venues, each with its sealed API key.",
    "funds": "One account's money. Its row is the account's lock: whoever changes money or holds takes it first.",
    "ledger_entries": "Every movement of an account's wallet, once, by its key.",
    "account_markets": "The leverage that the venue was last told.",
    "whales": "Leaders.",
    "leader_positions": "What a leader holds as of the last consumed fill.",
    "leader_fills": "The leader's consumed fills: one can be part of one signal only.",
    "follows": "Who copies whom, on which account and terms.",
    "user_limits": "Limits that users set for themselves.",
    "halts": "Standing stops of new entries.",
    "signals": "What was asked, and how far it is.",
    "decisions": "One decision for each follow and signal, with its inputs.",
    "trades": "Intents: at most one for each follow, signal and leg.",
    "orders": "Attempts to carry out a trade, each with its client order id.",
    "fills": "Executions by the venue's trade id, each booked once.",
    "positions": "What a follow holds on a market: the sum of its fills.",
    "protections": "Stops and take-profits at the exchange, each attempt with its client order id.",
    "protection_marks": "The best mark price since a lot was opened, and since when it lacks its stop.",
    "drift_marks": "Differences between an account at its venue and our books that were seen and stand; a frozen one refuses "
    "entries on its market.",
    "outbox": "Events that wait to be carried to their handlers.",
    "inbox": "Which handler has handled which event.",
    "leases": "Duties that one process holds at a time.",
}


def sentence_of(sentences: Mapping[str, str], name: str) -> str:
    """Return a subject's sentence, or raise KeyError that says where to write it."""
    if name not in sentences:
        raise KeyError(f"{name} has no sentence: write one in tools/docs/sentences.py")
    return sentences[name]


def check_total(sentences: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise KeyError for a sentence whose subject is gone."""
    if gone := sorted(set(sentences) - set(names)):
        raise KeyError(f"{', '.join(gone)} exists no more: delete its sentence in tools/docs/sentences.py")
