"""`python -m simulator`: reads its arguments, says on which port it listens, and serves until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

from simulator.dialects import DIALECTS
from simulator.engine.refusal import Refusal
from simulator.operator.inputs import BadInput
from simulator.server import Setup, Simulator


def parse_arguments(arguments: list[str]) -> Setup:
    """Return the setup; exits with a sentence when the configuration cannot be read."""
    parser = argparse.ArgumentParser(prog="simulator", description="A pretended exchange on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same prices, books, keys and chances")
    parser.add_argument("--operator-token", required=True, help="what X-Operator-Token must hold")
    parser.add_argument("--tape-ms", type=int, default=0, help="move prices by themselves every so many ms")
    parser.add_argument(
        "--config", type=Path, help="JSON file with settings, instruments, accounts and prices"
    )
    given = parser.parse_args(arguments)
    initial: dict[str, object] = {}
    if given.config is not None:
        try:
            initial = json.loads(given.config.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            parser.error(f"cannot read {given.config}: {error}")
    return Setup(
        seed=given.seed,
        operator_token=given.operator_token,
        port=given.port,
        tape_ms=given.tape_ms,
        initial=initial,
    )


async def serve(setup: Setup) -> None:
    """Serve until SIGTERM or SIGINT."""
    simulator = Simulator(setup)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on the loop
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    port = await simulator.start()
    ready = {
        "event": "listening",
        "host": setup.host,
        "port": port,
        "seed": setup.seed,
        "dialects": [build.__name__.replace("_", "-") for build in DIALECTS],
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    try:
        await stopped.wait()
    finally:
        await simulator.stop()


def run(main: Coroutine[None, None, None]) -> None:
    """Run on uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def main() -> int:
    """Return the exit status."""
    setup = parse_arguments(sys.argv[1:])
    # The ledger only grows and holds no cycles: scanning it every few orders would cost more than the orders do.
    gc.set_threshold(200_000, 50, 1000)
    try:
        run(serve(setup))
    except (BadInput, Refusal) as error:
        sys.stderr.write(f"simulator: the configuration is wrong: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"simulator: cannot listen on port {setup.port}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
