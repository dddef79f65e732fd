"""The simulated exchange as a real process, for any test suite: start it, set it up, read its ledger, stop it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0

Json = dict[str, Any]


class OperatorError(Exception):
    """The operator API refused; `status`, `code` and the message are the server's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


class Operator:
    """The operator API: `post`, `get` and `delete` block, their `a` twins await; helpers for the usual calls."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url
        self._headers = {"X-Operator-Token": token, "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: object = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base_url + path, data, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                answer: Json = json.load(reply)
                return answer
        except urllib.error.HTTPError as error:
            refused = json.load(error)
            raise OperatorError(error.code, refused["code"], refused["message"]) from None

    async def acall(self, method: str, path: str, body: object = None) -> Json:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self._base_url + path, json=body, headers=self._headers) as reply,
        ):
            answer: Json = await reply.json()
            if reply.status >= 400:
                raise OperatorError(reply.status, answer["code"], answer["message"])
            return answer

    def post(self, path: str, body: object = None) -> Json:
        return self.call("POST", path, {} if body is None else body)

    def get(self, path: str, **query: object) -> Json:
        return self.call("GET", path + ("?" + urlencode(query) if query else ""))

    def delete(self, path: str) -> Json:
        return self.call("DELETE", path)

    async def apost(self, path: str, body: object = None) -> Json:
        return await self.acall("POST", path, {} if body is None else body)

    async def aget(self, path: str, **query: object) -> Json:
        return await self.acall("GET", path + ("?" + urlencode(query) if query else ""))

    async def adelete(self, path: str) -> Json:
        return await self.acall("DELETE", path)

    def open_account(self, label: str, balance: str = "10000", **more: object) -> Json:
        """Open one account and return its row: account_id, label, api_key, api_secret."""
        row: Json = self.open_accounts([{"label": label, "balance": balance, **more}])[0]
        return row

    def open_accounts(self, accounts: Sequence[Mapping[str, object]]) -> list[Json]:
        rows: list[Json] = self.post("/sim/accounts", {"accounts": list(accounts)})["accounts"]
        return rows

    def set_prices(self, **prices: str) -> Json:
        return self.post("/sim/prices", {"prices": prices})

    def settings(self, **settings: object) -> Json:
        return self.post("/sim/settings", settings)

    def add_fault(self, endpoint: str, kind: str, **more: object) -> Json:
        return self.post("/sim/faults", {"rules": [{"endpoint": endpoint, "kind": kind, **more}]})

    def clear_faults(self) -> Json:
        return self.delete("/sim/faults")

    def ledger(self, view: str, account_id: str | None = None) -> list[Json]:
        """Return every row of `orders`, `fills`, `balances`, `events`, `positions` or `accounts`."""
        rows: list[Json] = []
        after = 0
        while True:
            query: Json = {"after_seq": after, "limit": 10_000}
            if account_id is not None:
                query["account_id"] = account_id
            page = self.get(f"/sim/ledger/{view}", **query)[view]
            rows.extend(page)
            if len(page) < 10_000:
                return rows
            after = page[-1].get("seq", len(rows))


class SimulatorProcess:
    """Starts `python -m simulator` on a free port; usable as a context manager."""

    def __init__(
        self, *, seed: int = 1, operator_token: str = "operator", config: Mapping[str, object] | None = None,
        port: int = 0, tape_ms: int = 0, generous: bool = True,
    ) -> None:  # fmt: skip
        """With `generous`, the rate limits are raised far beyond what a test suite uses."""
        self.seed = seed
        self.operator_token = operator_token
        self._config = config
        self._port = port
        self._tape_ms = tape_ms
        self._generous = generous
        self._process: subprocess.Popen[bytes] | None = None
        self._config_path: Path | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def operator(self) -> Operator:
        return Operator(self.base_url, self.operator_token)

    def start(self) -> Self:
        command = [
            sys.executable, "-m", "simulator", "--port", str(self._port), "--seed", str(self.seed),
            "--operator-token", self.operator_token, "--tape-ms", str(self._tape_ms),
        ]  # fmt: skip
        if self._config is not None:
            import tempfile

            handle, name = tempfile.mkstemp(suffix=".json")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self._config, file)
            self._config_path = Path(name)
            command += ["--config", name]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(json.loads(self._first_line())["port"])
        if self._generous:
            self.operator.settings(
                limits={
                    "weight_per_minute": 10_000_000, "orders_per_10s": 1_000_000, "orders_per_minute": 1_000_000,
                    "requests_per_5s": 10_000_000, "requests_per_uid": 1_000_000,
                }
            )  # fmt: skip
        return self

    def _first_line(self) -> bytes:
        assert self._process is not None
        out = self._process.stdout
        assert out is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            readable = selector.select(max(0.0, deadline - time.monotonic()))
        line = out.readline() if readable else b""
        if not line:
            self._process.kill()
            error = self._process.communicate()[1]
            self._forget()
            raise RuntimeError(f"the simulator did not start: {error.decode(errors='replace')[-2000:]}")
        return line

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it politely, by force after five seconds; return its exit status."""
        process = self._process
        if process is None:
            return 0
        process.send_signal(number)
        try:
            process.communicate(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        self._forget()
        return process.returncode

    def _forget(self) -> None:
        self._process = None
        if self._config_path is not None:
            self._config_path.unlink(missing_ok=True)
            self._config_path = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
