"""The contract of the venue port, on the generic gateway over HTTP: the same cases as for a venue's own gateway.

Left out is what it does not promise: protections at the exchange, and what is particular to a socket of the venue.
"""

from __future__ import annotations

from tests.contract.exchanges.test_account import *  # noqa: F403 - the cases are the import
from tests.contract.exchanges.test_orders import *  # noqa: F403 - as above
from tests.contract.exchanges.test_throttling import *  # noqa: F403 - as above
from tests.contract.exchanges.test_way import *  # noqa: F403 - as above
