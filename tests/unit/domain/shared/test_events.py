from __future__ import annotations

from datetime import timedelta

from app.domain.shared.events import Event, Recorder
from tests.unit.domain.builders import NOW


def test_an_event_leaves_its_recorder_once_and_in_order() -> None:
    recorder = Recorder()
    first, second = Event(at=NOW), Event(at=NOW + timedelta(seconds=1))
    recorder.record(first)
    recorder.record(second)
    assert recorder.take() == (first, second)
    assert recorder.take() == ()
