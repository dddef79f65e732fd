"""Statements on wallets that have no execution behind them: the venue's word, funding, and leverage told."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.types import BigInteger, SmallInteger, Text

from app.infrastructure.postgres.arrays import arrays

MAY_SYNC: Final = text("""
SELECT m.synced_at IS NULL OR NOT EXISTS (SELECT FROM trades t WHERE t.account_id = m.account_id AND NOT t.settled)
  FROM funds m WHERE m.account_id = :account FOR UPDATE
""")

SYNC_WALLET: Final = text("""
WITH was AS (SELECT wallet, synced_at FROM funds WHERE account_id = :account FOR UPDATE),
said AS (SELECT CAST(:wallet AS numeric)
              + CASE WHEN :counts_coins THEN (SELECT coalesce(sum(p.cost), 0) FROM positions p
                                               WHERE p.account_id = :account) ELSE 0 END AS wallet FROM was),
entry AS (
  INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)
  SELECT :account, :key, CASE WHEN was.synced_at IS NULL THEN 'DEPOSIT' ELSE 'ADJUSTMENT' END,
         said.wallet - was.wallet, :at
    FROM was, said WHERE was.wallet <> said.wallet
  ON CONFLICT DO NOTHING)
UPDATE funds m SET wallet = said.wallet, synced_at = :at, high_water = greatest(m.high_water, said.wallet)
  FROM said WHERE m.account_id = :account
""")

BOOK_FUNDING: Final = text("""
WITH entry AS (
  INSERT INTO ledger_entries (account_id, entry_key, kind, amount, symbol, at)
  VALUES (:account, :key, 'FUNDING', :amount, :symbol, :at) ON CONFLICT DO NOTHING RETURNING amount),
shares AS (
  SELECT p.follow_id, abs(p.quantity) / sum(abs(p.quantity)) OVER () AS share
    FROM positions p WHERE p.account_id = :account AND p.symbol = :symbol AND p.quantity <> 0),
spread AS (
  UPDATE positions p SET funding = p.funding + round(entry.amount * shares.share, 18), version = p.version + 1
    FROM entry, shares
   WHERE p.account_id = :account AND p.symbol = :symbol AND p.follow_id = shares.follow_id)
UPDATE funds m
   SET wallet = m.wallet + entry.amount, realised_day = :today,
       realised_today = CASE WHEN m.realised_day = :today THEN m.realised_today ELSE 0 END + entry.amount
  FROM entry WHERE m.account_id = :account
""")

BOOK_TRANSFER: Final = text("""
WITH entry AS (
  INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)
  VALUES (:account, :key, :kind, :amount, :at) ON CONFLICT DO NOTHING RETURNING amount)
UPDATE funds m SET wallet = m.wallet + entry.amount, high_water = greatest(m.high_water + entry.amount, 0)
  FROM entry WHERE m.account_id = :account
""")

LEVERAGE: Final = arrays(
    """
INSERT INTO account_markets (account_id, symbol, leverage)
SELECT * FROM unnest(:account, :symbol, :leverage)
ON CONFLICT (account_id, symbol) DO UPDATE SET leverage = excluded.leverage
""",
    account=BigInteger,
    symbol=Text,
    leverage=SmallInteger,
)
