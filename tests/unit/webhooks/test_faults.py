from __future__ import annotations

from lago_mock.webhooks.faults import WebhookFault, WebhookFaults


def test_the_oldest_fault_that_is_met_is_taken_as_often_as_it_says() -> None:
    faults = WebhookFaults()
    for fault in (
        WebhookFault("1", "duplicate", "cat.*"),
        WebhookFault("2", "delayed", times=2),
        WebhookFault("3", "wrong_signature", times=None),
    ):
        faults.add(fault)

    types = ["dog.born", "cat.born", "cat.died", "dog.died", "dog.ate"]
    taken = [faults.take(each) for each in types]

    assert [each.id for each in taken if each] == ["2", "1", "2", "3", "3"]
    assert [(each.hits, each.times) for each in faults] == [(1, 0), (2, 0), (2, None)]


def test_what_is_cleared_is_met_by_nothing() -> None:
    faults = WebhookFaults()
    faults.add(WebhookFault("1", "duplicate"))

    faults.clear()

    assert list(faults) == []
    assert faults.take("dog.born") is None


def test_only_a_delay_shows_its_length() -> None:
    assert WebhookFault("1", "delayed", delay_ms=7).shown() == {
        "id": "1",
        "fault": "delayed",
        "type": "*",
        "delay_ms": 7,
        "hits": 0,
        "remaining": 1,
    }
    assert "delay_ms" not in WebhookFault("1", "duplicate").shown()
