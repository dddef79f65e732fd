"""The library, steered: its classes with our transport, our timestamps and no floats, and one object per account.

Objects of one venue share the master's listing; a bounded number is kept, the least recently used dropped. None of them
opens a connection of its own. The import costs a second and a hundred megabytes, so it happens at first use.
"""

from __future__ import annotations

import asyncio
import importlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.generic.calls import (
    Call,
    Unheard,
    current,
    decoded,
    during,
    rebased,
    signing_ms,
)
from app.infrastructure.exchanges.generic.recipe import Recipe
from app.infrastructure.exchanges.http import Transport
from app.infrastructure.exchanges.keys import OpenKey
from app.infrastructure.exchanges.settings import VenueSettings

Client = Any
"""An object of the library: made at run time from a class that is named by a string."""

_KEPT: Final = 256
"""Objects kept per venue: each costs 30 to 260 kB."""

REFUSED: Final = frozenset({"hyperliquid"})
"""The library signs fee approvals there that nobody asked for; it has an adapter of its own."""

_BROKER_OPTIONS: Final = ("broker", "brokerId", "partner")
_BROKER_HEADERS: Final = frozenset(
    {
        "referer",
        "source",
        "x-source-key",
        "x-channel-api-code",
        "x-gate-channel-id",
        "kc-broker-name",
        "kc-api-partner",
    }
)
"""None of them is signed; the library's options cannot silence all of them, for it falls back to its own."""


async def close_watcher(client: Client) -> None:
    """Close a watching object and its sockets. The library leaves failures of them unread, and whoever finds those would
    log addresses with listen keys: they are read here.
    """
    await client.close()
    for socket in client.sockets:
        for future in (socket.connected, *socket.futures.values()):
            if future.done() and not future.cancelled():
                future.exception()
    client.sockets.clear()


class Steered:
    """What our classes put in front of the library's: see the module."""

    number = str
    parse_to_numeric = staticmethod(str)  # the library would write small quantities as 1e-05
    whole_as_text: ClassVar[bool] = True
    _recipe: ClassVar[Recipe]

    @staticmethod
    def milliseconds() -> int:
        """Return the timestamp of the call in hand."""
        return signing_ms()

    @staticmethod
    def seconds() -> int:
        """Whole seconds, cut: some exchanges sign with no more."""
        return signing_ms() // 1000

    @staticmethod
    def microseconds() -> int:
        """Microseconds of a timestamp that is known to the millisecond."""
        return signing_ms() * 1000

    async def fetch(
        self: Any,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> object:
        """Send by our transport and let the library judge the answer; raises Unheard when there is none.

        Only the headers of this request go out, without those that name the library's broker.
        """
        call = current()
        if call is None:
            raise Unheard("no call is in hand")
        kept = {name: value for name, value in (headers or {}).items() if name.lower() not in _BROKER_HEADERS}
        reply = await call.send(method, url, kept, self._recipe.plain_body(body) if body else None)
        text = reply.body.decode(errors="replace")
        payload = decoded(text, whole_as_text=self.whole_as_text)
        call.payload = payload
        said = dict(reply.headers)
        self.handle_errors(reply.status, "", url, method, said, text, payload, {}, None)
        self.handle_http_status_code(reply.status, "", url, method, "")
        if not 200 <= reply.status < 300:
            raise Unheard(f"HTTP {reply.status}")
        if not isinstance(payload, dict | list) or not call.speaks(payload):
            raise Unheard(f"HTTP {reply.status} with no answer in it")
        return payload


def library() -> Any:
    """Return the library; the first call imports it."""
    return importlib.import_module("ccxt.async_support")


def steered_class(recipe: Recipe, module: str = "ccxt.async_support") -> Any:
    """Return the library's class of an exchange with our steering; `module` is where the library keeps it."""
    name = recipe.library_id
    if name in REFUSED:
        raise ValueError(f"{name} is not served through the library")
    base = getattr(importlib.import_module(module), name)
    return type(f"Steered_{name}", (Steered, base), {"_recipe": recipe})


def _names(key: OpenKey) -> dict[str, str]:
    names = {"apiKey": key.name, "secret": key.secret.decode()}
    return names | ({"password": key.passphrase} if key.passphrase else {})


class Library:
    """One venue of the library: the master that knows the listing, and light objects for accounts."""

    def __init__(self, recipe: Recipe, transport: Transport, settings: VenueSettings) -> None:
        self.recipe = recipe
        self._transport = transport
        self._settings = settings
        self._classes: dict[str, Any] = {}
        self._master: Client | None = None
        self._loading = asyncio.Lock()
        self._kept: OrderedDict[AccountId, tuple[bytes, Client, int]] = OrderedDict()
        self._generation = 0

    def call(self, now_ms: int, timeout_s: float | None = None) -> Call:
        """Return a new call, signed with `now_ms`."""
        settings = self._settings
        return Call(
            self._transport,
            settings.base_url,
            now_ms,
            timeout_s or settings.read_timeout_s,
            speaks=self.recipe.speaks,
        )

    async def reload(self, call: Call) -> Mapping[str, Any]:
        """Read the listing anew and return the library's markets; raises what the library raises."""
        async with self._loading:
            master = self._made({})
            with during(call):
                rows = await getattr(master, self.recipe.markets)({})
                markets: Mapping[str, Any] = master.set_markets(rows)
            self._master = master
            self._generation += 1
            return markets

    async def master(self) -> Client:
        """Return the object without a key, for what is public."""
        if self._master is None:
            await self.reload(self.call(signing_ms()))
        return self._master

    async def client(self, account: AccountId, key: OpenKey) -> Client:
        """Return the account's object, made or brought up to date if need be."""
        master = await self.master()
        found = self._kept.get(account)
        if found is not None and found[0] == key.sealed:
            self._kept.move_to_end(account)
            if found[2] == self._generation:
                return found[1]
            client = found[1]
        else:
            client = self._made(_names(key))
        client.set_markets_from_exchange(master)
        self._kept[account] = (key.sealed, client, self._generation)
        self._kept.move_to_end(account)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return client

    @property
    def kept(self) -> int:
        """How many accounts have an object now."""
        return len(self._kept)

    async def watcher(self, key: OpenKey) -> Client:
        """Return a new object that can also watch; its socket is its own, and must be closed."""
        master = await self.master()
        client = self._made(_names(key), "ccxt.pro")
        client.set_markets_from_exchange(master)
        client.number = float  # its caches compare numbers; what it tells is not used
        client.sockets = []
        ws_url, own = self._settings.ws_url, client.client

        def socket(url: str) -> Any:
            made = own(rebased(url, ws_url))
            client.sockets.append(made)
            return made

        client.client = socket
        return client

    def _made(self, key: Mapping[str, str], module: str = "ccxt.async_support") -> Client:
        if module not in self._classes:
            self._classes[module] = steered_class(self.recipe, module)
        client = self._classes[module](
            {**key, "enableRateLimit": False, "options": dict(self.recipe.options)}
        )
        client.options["maxRetriesOnFailure"] = 0
        client.whole_as_text = client.quoteJsonNumbers
        client.headers = {}
        for option in _BROKER_OPTIONS:
            if option in client.options:
                client.options[option] = {} if isinstance(client.options[option], dict) else None
        client.options.update(self.recipe.options)
        client.has["fetchCurrencies"] = False
        return client
