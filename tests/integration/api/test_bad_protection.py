"""Bad terms of protection and bad halts: a 4xx for each, and never a 5xx or an echo."""

from __future__ import annotations

import pytest

from tests.integration.api.conftest import Api
from tests.integration.api.problems import checked
from tests.integration.api.test_bad_input import NUMBERS


@pytest.mark.parametrize("raw", [raw for raw, _ in NUMBERS.values() if raw != "null"], ids=str)
@pytest.mark.parametrize("name", ["stop_loss", "trailing", "break_even_after"])
async def test_a_figure_of_a_protection_that_is_no_plain_decimal_is_refused(
    shared_api: Api, name: str, raw: str
) -> None:
    assert (await put_protection(shared_api, f'{{"{name}": {raw}}}'))[0] in (400, 422)


@pytest.mark.parametrize(
    "raw",
    [
        '"STOP"',
        "7",
        "true",
        "[]",
        '[{"move": "0.1", "share": "0.5"}]',
        '{"stop_loss": "1"}',
        '{"stop_loss": "999999999999999999.999999999999999999"}',
        '{"trailing": "1"}',
        '{"break_even_after": "10.000000000000000001"}',
        '{"take_profits": null}',
        '{"take_profits": {}}',
        '{"take_profits": "0.1"}',
        '{"take_profits": [["0.1", "0.5"]]}',
        '{"take_profits": [{}]}',
        '{"take_profits": [null]}',
        '{"take_profits": [{"move": "0.1"}]}',
        '{"take_profits": [{"move": "NaN", "share": "0.5"}]}',
        '{"take_profits": [{"move": "0.1", "share": 0.5}]}',
        '{"take_profits": [{"move": "0.1", "share": "1.000000000000000001"}]}',
        '{"take_profits": [{"move": "11", "share": "0.5"}]}',
        '{"take_profits": [{"move": "0.2", "share": "0.5"}, {"move": "0.1", "share": "0.5"}]}',
        '{"take_profits": [{"move": "0.1", "share": "0.6"}, {"move": "0.2", "share": "0.6"}]}',
        '{"take_profits": [' + ", ".join(['{"move": "0.1", "share": "0.1"}'] * 6) + "]}",
        '{"take_profits": [{"move": "0.1", "share": "0.5", "canary": 1}]}',
        '{"unprotected": "PANIC"}',
        '{"unprotected": null}',
        '{"canary": "0.1"}',
    ],
)
async def test_a_protection_that_breaks_a_rule_is_refused(shared_api: Api, raw: str) -> None:
    status, text = await put_protection(shared_api, raw)
    assert status == 422
    assert "canary" not in text


@pytest.mark.parametrize("raw", ["1", "0", '"true"', '"yes"', "null", "[]", "{}", "NaN"])
async def test_closing_with_a_halt_is_asked_for_by_true_or_false_alone(shared_api: Api, raw: str) -> None:
    body = f'{{"scope": "PLATFORM", "reason": "why", "close_positions": {raw}}}'
    answer = await shared_api.client.post(
        "/v1/halts",
        content=body,
        headers={**shared_api.scene.operator.headers, "Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422)
    checked(answer.json(), answer.headers)


async def put_protection(api: Api, raw: str) -> tuple[int, str]:
    owner = api.scene.owner
    answer = await api.client.put(
        f"/v1/follows/{owner.follow_id}/terms",
        content=f'{{"mode": "FIXED_AMOUNT", "value": "250", "protection": {raw}}}',
        headers={**owner.headers, "Content-Type": "application/json"},
    )
    checked(answer.json(), answer.headers)
    return answer.status_code, answer.text
