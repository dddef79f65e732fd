"""Reading actions and questions: what has not the venue's types is unprocessable, as the venue says of all such alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import orjson

from simulator.hyperliquid.errors import Unprocessable

Json = dict[str, object]
NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
CLOID = re.compile(r"0x[0-9a-fA-F]{32}")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
TIFS = ("Gtc", "Ioc", "Alo", "FrontendMarket")


class Fields:
    """One JSON object, read field by field."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, dict):
            raise Unprocessable
        self.values: Mapping[str, object] = values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text, mandatory without a default; an empty one is one too."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            raise Unprocessable
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number, zero or more."""
        value = self.values.get(name)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
            raise Unprocessable
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean."""
        value = self.values.get(name)
        if not isinstance(value, bool):
            raise Unprocessable
        return value

    def number(self, name: str) -> Decimal:
        """Return a number written as text."""
        text = self.text(name)
        if not NUMBER.fullmatch(text):
            raise Unprocessable
        return Decimal(text)

    def cloid(self, name: str, *, needed: bool = True) -> str:
        """Return a cloid in lower case, empty when it is absent and need not be there."""
        if not needed and self.values.get(name) is None:
            return ""
        text = self.text(name)
        if not CLOID.fullmatch(text):
            raise Unprocessable
        return text.lower()

    def address(self, name: str) -> str:
        """Return an address in lower case."""
        text = self.text(name)
        if not ADDRESS.fullmatch(text):
            raise Unprocessable
        return text.lower()

    def object(self, name: str) -> Fields:
        """Return an object inside."""
        return Fields(self.values.get(name))

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects that is not empty."""
        value = self.values.get(name)
        if not isinstance(value, list) or not value:
            raise Unprocessable
        return [Fields(item) for item in value]


def of_body(body: bytes) -> Fields:
    """Return the object that a body holds."""
    try:
        return Fields(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise Unprocessable from None


@dataclass(frozen=True, slots=True)
class Signed:
    """The envelope of an action: who is asked to have signed what, and until when it holds."""

    action: Fields
    nonce: int
    vault: str | None
    expires_after: int | None
    r: str
    s: str
    v: int

    @classmethod
    def of(cls, fields: Fields) -> Signed:
        """Read an envelope."""
        proof = fields.object("signature")
        return cls(
            fields.object("action"),
            fields.integer("nonce"),
            fields.address("vaultAddress") if fields.values.get("vaultAddress") is not None else None,
            fields.integer("expiresAfter") if fields.values.get("expiresAfter") is not None else None,
            proof.text("r"),
            proof.text("s"),
            proof.integer("v"),
        )


def short(value: Decimal) -> str:
    """Write a number as it is hashed: no exponent, no zeros at the end."""
    return f"{value.normalize():f}" if value else "0"


def canonical(action: Fields) -> object:
    """Return the action as the venue hashes it: its own order of fields, and its own way to write numbers.

    Whoever signed another order or another writing is taken for somebody else.
    """
    kind = action.text("type")
    if kind == "order":
        found: Json = {
            "type": kind,
            "orders": [_order(row) for row in action.objects("orders")],
            "grouping": action.text("grouping"),
        }
        if action.values.get("builder") is not None:
            builder = action.object("builder")
            found["builder"] = {"b": builder.text("b"), "f": builder.integer("f")}
        return found
    if kind == "cancel":
        rows = action.objects("cancels")
        return {"type": kind, "cancels": [{"a": row.integer("a"), "o": row.integer("o")} for row in rows]}
    if kind == "cancelByCloid":
        rows = action.objects("cancels")
        return {
            "type": kind,
            "cancels": [{"asset": row.integer("asset"), "cloid": row.text("cloid")} for row in rows],
        }
    if kind == "updateLeverage":
        return {
            "type": kind,
            "asset": action.integer("asset"),
            "isCross": action.flag("isCross"),
            "leverage": action.integer("leverage"),
        }
    return action.values


def _order(row: Fields) -> Json:
    kind = row.object("t")
    if "trigger" in kind.values:
        trigger = kind.object("trigger")
        if trigger.text("tpsl") not in ("tp", "sl"):
            raise Unprocessable
        kinds: Json = {
            "trigger": {
                "isMarket": trigger.flag("isMarket"),
                "triggerPx": short(trigger.number("triggerPx")),
                "tpsl": trigger.text("tpsl"),
            }
        }
    else:
        tif = kind.object("limit").text("tif")
        if tif not in TIFS:
            raise Unprocessable
        kinds = {"limit": {"tif": tif}}
    found: Json = {
        "a": row.integer("a"),
        "b": row.flag("b"),
        "p": short(row.number("p")),
        "s": short(row.number("s")),
        "r": row.flag("r"),
        "t": kinds,
    }
    if row.values.get("c") is not None:
        row.cloid("c")
        found["c"] = row.text("c")
    return found
