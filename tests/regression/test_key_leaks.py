"""Keys that other programs wrote into logs, answers and error objects: a made-up one is sent through ours and looked for."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.config.logging import configure_logging
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey
from app.infrastructure.postgres.schema import metadata
from app.infrastructure.vault import AesGcmVault
from tests.contract.exchanges.said import Said
from tests.integration.api.conftest import Api, serving
from tests.support.leaks import Search

KEYS = (
    ("canaryKEYcanary01", "canarySECRETcanary02", "canaryPHRASE03"),
    ("c0ffee" * 10 + "aaaa", "5ec2e7" * 10 + "bbbb", None),
    ("org/canary-key+04==", "-----canary SECRET 05-----", "pass phrase, canary 06"),
)
every_key = pytest.mark.parametrize("key", KEYS, ids=["words", "hex", "odd"])


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Every line that the process logs, from DEBUG on, as an operator would read it."""
    root = logging.getLogger()
    handlers, level, structure = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    configure_logging(level="DEBUG", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structure)


@pytest.fixture
async def api(database_dsn: str) -> Any:
    async with serving(database_dsn, None) as made:
        yield made


def searched(key: tuple[str, str, str | None]) -> Search:
    return Search(tuple(each for each in key if each))


def sent(key: tuple[str, str, str | None]) -> dict[str, str]:
    names = ("key", "secret", "passphrase")
    return {name: each for name, each in zip(names, key, strict=True) if each is not None}


async def everything_stored(dsn: str) -> str:
    engine: AsyncEngine = create_async_engine(dsn)
    try:
        async with engine.connect() as connection:
            rows: list[str] = []
            for table in metadata.tables:
                rows += (await connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars()
            return "\n".join(rows)
    finally:
        await engine.dispose()


async def answers(api: Api, key: tuple[str, str, str | None]) -> list[str]:
    """Add the key, have it refused, meet a silent venue, rotate it, and read back all there is to read."""
    seen: list[str] = []
    headers = api.scene.owner.headers

    async def call(method: str, path: str, body: object = None) -> Any:
        answer = await api.client.request(method, f"/v1{path}", json=body, headers=headers)
        seen.append(f"{answer.status_code} {dict(answer.headers)} {answer.text}")
        return answer

    venue = api.outside.venue
    for number, (down, refuses) in enumerate(((False, False), (True, False), (False, True))):
        venue.is_down, venue.refuses_key = down, refuses
        body = {"venue": "binance-usdm", "label": f"number {number}", "api_key": sent(key)}
        made = await call("POST", "/accounts", body)
        assert made.status_code < 500 or down, made.text
        for path in (f"/accounts/{made.json().get('id')}", "/accounts", "/portfolio", "/follows"):
            await call("GET", path)
        for method in ("PUT", "POST"):
            await call(method, f"/accounts/{made.json().get('id')}/key", {"api_key": sent(key), **sent(key)})
    await call("POST", "/accounts", {"venue": "binance-usdm", "api_key": [sent(key)], "label": "bad"})
    return seen


@every_key
async def test_freqtrade_6016_a_key_shows_in_no_answer_no_row_and_no_line_of_the_log(
    api: Api, database_dsn: str, log: io.StringIO, key: tuple[str, str, str | None]
) -> None:
    seen = await answers(api, key)
    stored = await everything_stored(database_dsn)
    assert len(api.outside.venue.sealed_seen) >= 2, "the key did go its way"
    assert "number 0" in stored, "the tables were read"
    search = searched(key)
    assert search.found_in("\n".join(seen)) == []
    assert search.found_in(stored) == []
    assert search.found_in(log.getvalue()) == []


@every_key
async def test_the_search_bites(database_dsn: str, api: Api, key: tuple[str, str, str | None]) -> None:
    engine = create_async_engine(database_dsn)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE accounts SET sealed = :sealed"), {"sealed": f"..{key[1]}..".encode()}
        )
    await engine.dispose()
    assert searched(key).found_in(await everything_stored(database_dsn)) == [key[1]]


@every_key
def test_binance_connector_561_an_error_beside_a_key_does_not_show_it(
    log: io.StringIO, key: tuple[str, str, str | None]
) -> None:
    """Error objects of an SDK held the signed request; who logged the error published the key."""
    vault = AesGcmVault({"k1": b"v" * 32}, "k1")
    opened = ApiKey(key[0], key[1], key[2] or "")
    logger = structlog.get_logger("leaks")
    sealed = vault.seal(AccountId(1), Venue.BINANCE_USDM, opened)
    texts = [repr(opened), str(opened), f"{opened}", repr(vault), repr([opened]), repr(sealed)]
    for account, bad in ((AccountId(2), sealed), (AccountId(1), sealed[:-1]), (AccountId(1), b"")):
        with pytest.raises(Exception) as error:  # whatever it raises, it may not speak
            vault.open(account, Venue.BINANCE_USDM, bad)
        texts += [repr(error.value), str(error.value), str(vars(error.value))]
        try:
            raise RuntimeError(f"a task failed with {opened!r}") from error.value
        except RuntimeError:
            logger.exception("task.failed", api_key=opened, secret=opened.secret, of=opened)
            logging.getLogger("library").exception("failed: %s", opened)
    assert log.getvalue().count("\n") >= 6
    search = searched(key)
    assert search.found_in("\n".join(texts)) == []
    assert search.found_in(log.getvalue()) == []


async def test_what_a_library_logs_or_an_error_carries_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def refused() -> None:
        raise NotFound("refused") from ValueError("canary-first")

    caplog.set_level(logging.DEBUG)
    said = Said(caplog)
    logging.getLogger("library").debug("request: %s", {"OK-ACCESS-PASSPHRASE": "canary-second"})
    await said.of(refused())
    wanted = ["canary-first", "canary-second"]
    assert Search(("canary-none", *wanted)).found_in(said.text()) == wanted
