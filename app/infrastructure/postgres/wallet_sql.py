"""Statements on wallets that have no execution behind them: the venue's word, funding, and leverage told."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.types import BigInteger, SmallInteger, Text

from app.infrastructure.postgres.arrays import arrays

SYNC_WALLET: Final = text("""
WITH was AS (SELECT wallet, synced_at FROM funds WHERE account_id = :account FOR UPDATE),
entry AS (
  INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)
  SELECT :account, :key, CASE WHEN was.synced_at IS NULL THEN 'DEPOSIT' ELSE 'ADJUSTMENT' END,
         CAST(:wallet AS numeric) - was.wallet, :at
    FROM was WHERE was.wallet <> CAST(:wallet AS numeric)
  ON CONFLICT DO NOTHING)
UPDATE funds m SET wallet = CAST(:wallet AS numeric), synced_at = :at,
       high_water = greatest(m.high_water, CAST(:wallet AS numeric))
  FROM was WHERE m.account_id = :account
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
