from __future__ import annotations

from typing import Any

import pytest

from lago_mock.contract.operation import Operation
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.faults import Fault, Faults, impossible
from lago_mock.matching import Sent
from lago_mock.outcomes import Outcome
from lago_mock.wire import JSONObject

CREATE = Operation("createCustomer", "POST", "/customers", (), ("customer:write",), {})
FIND_TAX = Operation("findTax", "GET", "/taxes/{code}", ("code",), ("tax:read",), {})
OPERATIONS = {CREATE.id: CREATE, FIND_TAX.id: FIND_TAX}
CREATING = Sent(CREATE.id, "POST", "/api/v1/customers")
FINDING = Sent(FIND_TAX.id, "GET", "/api/v1/taxes/vat")
NOWHERE = Sent(None, "GET", "/nowhere")


def armed(*descriptions: JSONObject) -> Faults:
    """Arm faults whose ids are 1, 2 and so on."""
    faults = Faults()
    for number, description in enumerate(descriptions, 1):
        faults.add(str(number), description)
    return faults


def take(faults: Faults, sent: Sent = CREATING, request_id: str = "r-1") -> Outcome | None:
    return faults.take(OPERATIONS.get(sent.operation or ""), sent, request_id)


def taken(faults: Faults, *requests: Sent) -> list[str | None]:
    """Give the id of the fault that each request meets."""
    outcomes = [take(faults, sent) for sent in requests]
    return [outcome and outcome.fault_id for outcome in outcomes]


def fault(faults: Faults, fault_id: str = "1") -> Fault:
    found = faults.get(fault_id)
    assert found is not None
    return found


def counts(faults: Faults, fault_id: str = "1") -> dict[str, Any]:
    shown = fault(faults, fault_id).shown()
    return {name: shown[name] for name in ("hits", "remaining", "skipped", "spared")}


# Which fault a request meets


@pytest.mark.parametrize(
    ("description", "meets"),
    [
        pytest.param({"operation": "*"}, [True, True, True], id="any operation"),
        pytest.param({"operation": "createCustomer"}, [True, False, False], id="one"),
        pytest.param({"operation": ["createCustomer", "findTax"]}, [True, True, False], id="two"),
        pytest.param({"method": "GET"}, [False, True, True], id="method"),
        pytest.param({"path": "/api/*"}, [True, True, False], id="path"),
        pytest.param({"operation": "findTax", "path": "*/eu"}, [False] * 3, id="both"),
        pytest.param({"operation": "*", "match": {"body": None}}, [True] * 3, id="match"),
        pytest.param({"operation": "*", "match": {"body": {}}}, [False] * 3, id="other match"),
    ],
)
def test_request_meets_the_fault_that_means_it(description: JSONObject, meets: list[bool]) -> None:
    met = [take(armed(description), sent) for sent in (CREATING, FINDING, NOWHERE)]
    assert [each is not None for each in met] == meets


def test_no_fault_is_met_when_none_is_armed() -> None:
    faults = Faults()
    assert faults.armed == 0
    assert take(faults) is None


def test_oldest_fault_that_matches_is_taken_and_one_a_request() -> None:
    faults = armed(
        {"operation": "findTax"},
        {"operation": "*"},
        {"operation": "createCustomer"},
        {"path": "/api/*"},
        {"operation": ["findTax", "createCustomer"]},
    )
    assert taken(faults, *[CREATING] * 5) == ["2", "3", "4", "5", None]
    assert taken(faults, FINDING, FINDING) == ["1", None]


def test_fault_of_several_operations_is_used_up_for_all_of_them() -> None:
    faults = armed({"operation": ["createCustomer", "findTax"]})
    assert taken(faults, FINDING, CREATING) == ["1", None]
    assert faults.armed == 0


def test_outcome_is_that_of_the_description_and_of_the_operation() -> None:
    faults = armed({"operation": "*", "error": "forbidden", "delay_ms": 250})
    body = {
        "status": 403,
        "error": "Forbidden",
        "code": "write_action_not_allowed_for_customer",
    }
    assert take(faults) == Outcome(403, {}, body, 0.25, fault_id="1")


# How often


@pytest.mark.parametrize(
    ("times", "met", "remaining"),
    [
        pytest.param({}, [1, 0, 0, 0], 0, id="once by default"),
        pytest.param({"times": 3}, [1, 1, 1, 0], 0, id="three times"),
        pytest.param({"times": 5}, [1, 1, 1, 1], 1, id="five times"),
        pytest.param({"times": None}, [1, 1, 1, 1], None, id="always"),
    ],
)
def test_fault_is_met_as_often_as_it_says(
    times: JSONObject, met: list[int], remaining: int | None
) -> None:
    faults = armed({"operation": "*", **times})
    assert [take(faults) is not None for _ in range(4)] == [bool(each) for each in met]
    assert counts(faults) == {
        "hits": sum(met),
        "remaining": remaining,
        "skipped": 0,
        "spared": 0,
    }


def test_first_requests_that_match_are_let_pass() -> None:
    faults = armed({"operation": "createCustomer", "skip": 2, "times": 2})
    sequence = [CREATING, FINDING, CREATING, CREATING, CREATING, CREATING]
    assert taken(faults, *sequence) == [None, None, None, "1", "1", None]
    assert counts(faults) == {"hits": 2, "remaining": 0, "skipped": 2, "spared": 0}


def test_request_that_one_fault_lets_pass_meets_the_next() -> None:
    faults = armed({"operation": "*", "skip": 1}, {"operation": "*"})
    assert taken(faults, CREATING, CREATING, CREATING) == ["2", "1", None]


def met_by_chance(probability: float, seed: int, count: int = 200) -> list[bool]:
    faults = armed({"operation": "*", "probability": probability, "seed": seed, "times": None})
    met = [take(faults) is not None for _ in range(count)]
    assert counts(faults)["hits"] == sum(met)
    assert counts(faults)["spared"] == count - sum(met)
    return met


def test_probability_is_the_share_that_meets_the_fault() -> None:
    assert 40 < sum(met_by_chance(0.3, seed=7)) < 80


@pytest.mark.parametrize(("probability", "hits"), [(0, 0), (0.0, 0), (1, 200), (1.0, 200)])
def test_probability_of_0_is_never_and_of_1_always(probability: float, hits: int) -> None:
    assert sum(met_by_chance(probability, seed=7)) == hits


def test_chance_repeats_itself_with_its_seed() -> None:
    assert met_by_chance(0.5, seed=1) == met_by_chance(0.5, seed=1)
    assert met_by_chance(0.5, seed=1) != met_by_chance(0.5, seed=2)


def test_chance_without_a_seed_comes_from_the_id() -> None:
    description = {"operation": "*", "probability": 0.5, "times": None}

    def met(fault_id: str) -> list[bool]:
        faults = Faults()
        faults.add(fault_id, description)
        return [take(faults) is not None for _ in range(50)]

    assert met("a") == met("a")
    assert met("a") != met("b")


def test_request_that_chance_spares_uses_up_no_turn() -> None:
    faults = armed({"operation": "*", "probability": 0.5, "seed": 1, "times": 3})
    met = [take(faults) is not None for _ in range(40)]
    assert sum(met) == 3
    assert counts(faults)["spared"] == max(n for n, each in enumerate(met) if each) - 2


def test_delays_between_two_repeat_with_their_seed() -> None:
    def delays() -> list[float]:
        faults = armed({"operation": "*", "delay_ms": {"min": 1, "max": 9}, "seed": 3, "times": 5})
        outcomes = [take(faults) for _ in range(5)]
        return [each.delay_seconds for each in outcomes if each]

    assert delays() == delays()
    assert len(set(delays())) == 5


# Sequences

TURNS = [{"error": "bad_gateway"}, {}, {"connection": "EMPTY_RESPONSE", "when": "after"}]


def statuses(faults: Faults, count: int) -> list[object]:
    """Give what each request sees: a status, a connection, "passes", or None for no fault."""
    outcomes = [take(faults) for _ in range(count)]
    return [each and (each.status or each.connection or "passes") for each in outcomes]


@pytest.mark.parametrize(
    ("times", "seen", "remaining"),
    [
        pytest.param({}, [502, "passes", "EMPTY_RESPONSE", None, None], 0, id="once each"),
        pytest.param({"times": 2}, [502, "passes", None, None, None], 0, id="fewer"),
        pytest.param({"times": 4}, [502, "passes", "EMPTY_RESPONSE", 502, None], 0, id="more"),
        pytest.param(
            {"times": None}, [502, "passes", "EMPTY_RESPONSE", 502, "passes"], None, id="always"
        ),
    ],
)
def test_outcomes_of_a_sequence_take_turns(
    times: JSONObject, seen: list[object], remaining: int | None
) -> None:
    faults = armed({"operation": "*", "sequence": TURNS, **times})
    assert fault(faults).shown()["times"] == times.get("times", 3)
    assert statuses(faults, 5) == seen
    assert fault(faults).remaining == remaining


def test_each_outcome_of_a_sequence_says_when_it_comes() -> None:
    faults = armed({"operation": "*", "sequence": TURNS})
    assert [each and each.after for each in (take(faults), take(faults), take(faults))] == [
        False,
        False,
        True,
    ]


def test_request_that_a_fault_lets_pass_in_its_turn_meets_no_other() -> None:
    faults = armed({"operation": "*", "sequence": [{}]}, {"operation": "*"})
    assert take(faults) == Outcome(fault_id="1")
    assert taken(faults, CREATING) == ["2"]


# What is armed


def test_fault_is_shown_with_what_it_was_told_and_its_counts() -> None:
    faults = armed({"operation": "*", "error": "forbidden", "times": 2})
    take(faults, NOWHERE, "r-9")
    assert fault(faults).shown() == {
        "id": "1",
        "operation": "*",
        "error": "forbidden",
        "times": 2,
        "hits": 1,
        "remaining": 1,
        "skipped": 0,
        "spared": 0,
        "requests": ["r-9"],
    }


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param({}, 1, id="default"),
        pytest.param({"times": None}, None, id="always"),
        pytest.param({"sequence": TURNS}, 3, id="sequence"),
    ],
)
def test_times_is_shown_also_when_it_was_not_said(said: JSONObject, shown: int | None) -> None:
    found = fault(armed(said)).shown()
    assert (found["times"], found["hits"], found["remaining"]) == (shown, 0, shown)


def test_requests_that_met_it_are_remembered_the_last_hundred() -> None:
    faults = armed({"operation": "*", "times": None})
    for number in range(105):
        take(faults, CREATING, f"r-{number}")
    assert fault(faults).shown()["requests"] == [f"r-{number}" for number in range(5, 105)]


def test_requests_that_were_let_pass_are_not_remembered() -> None:
    faults = armed({"operation": "*", "skip": 1, "probability": 0})
    take(faults)
    take(faults)
    assert counts(faults) == {"hits": 0, "remaining": 1, "skipped": 1, "spared": 1}
    assert fault(faults).shown()["requests"] == []


def test_faults_are_kept_in_order_until_they_are_removed() -> None:
    faults = armed({"operation": "*"}, {"operation": "findTax"})
    assert [each.id for each in faults] == ["1", "2"]
    faults.remove("1")
    assert faults.get("1") is None
    assert [each.id for each in faults] == ["2"]
    assert (faults.armed, taken(faults, CREATING, FINDING)) == (1, [None, "2"])


def test_clear_disarms_all() -> None:
    faults = armed({"operation": "*"}, {"operation": "findTax"})
    faults.clear()
    assert (list(faults), faults.armed, take(faults), take(faults, FINDING)) == ([], 0, None, None)


def test_fault_that_is_used_up_is_still_listed_and_can_be_removed() -> None:
    faults = armed({"operation": "*"}, {"operation": "*"})
    assert faults.armed == 2
    take(faults)
    assert (fault(faults).is_used_up, faults.armed) == (True, 1)
    assert [each.id for each in faults] == ["1", "2"]
    faults.remove("1")
    assert ([each.id for each in faults], faults.armed) == (["2"], 1)


def test_no_more_faults_are_armed_than_the_limit() -> None:
    faults = Faults(limit=2)
    faults.add("1", {"operation": "*"})
    faults.add("2", {"operation": "*"})
    with pytest.raises(ValidationFailed) as raised:
        faults.add("3", {"operation": "*"})
    assert raised.value.details() == {"faults": ["there can be 2 faults at most"]}
    assert ([each.id for each in faults], faults.armed) == (["1", "2"], 2)


def test_a_thousand_faults_is_the_limit() -> None:
    faults = armed(*[{"operation": "*"}] * 1000)
    with pytest.raises(ValidationFailed, match="there can be 1000 faults at most"):
        faults.add("1001", {"operation": "*"})


def test_faults_that_are_used_up_make_room_the_oldest_first() -> None:
    faults = Faults(limit=3)
    faults.add("1", {"operation": "findTax"})
    faults.add("2", {"operation": "*"})
    faults.add("3", {"operation": "*"})
    assert taken(faults, CREATING, CREATING) == ["2", "3"]
    faults.add("4", {"operation": "*"})
    assert [each.id for each in faults] == ["1", "3", "4"]
    assert faults.armed == 2


def test_replace_puts_others_in_their_place() -> None:
    faults = armed({"operation": "*"}, {"operation": "*"})
    faults.replace([("a", {"operation": "findTax"}), ("b", {"operation": "*"})])
    assert ([each.id for each in faults], faults.armed) == (["a", "b"], 2)
    assert taken(faults, FINDING, CREATING, CREATING) == ["a", "b", None]


def test_replace_by_too_many_leaves_all_as_they_were() -> None:
    faults = Faults(limit=1)
    faults.add("1", {"operation": "*"})
    with pytest.raises(ValidationFailed, match="there can be 1 faults at most"):
        faults.replace([("a", {"operation": "*"}), ("b", {"operation": "*"})])
    assert [each.id for each in faults] == ["1"]


def test_operation_id_of_no_fault_costs_no_look_at_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults = armed(*[{"operation": f"other{number}"} for number in range(100)])
    monkeypatch.setattr(Fault, "falls_on", lambda *_: pytest.fail("a fault was looked at"))
    assert take(faults) is None


# Faults that can never happen

WHICH = Problem(
    "operation", "say which requests: operation, or method and path", "fault", ("operation",)
)
WHAT = Problem(
    "error", "say what happens: error, status, connection or delay_ms", "fault", ("error",)
)


@pytest.mark.parametrize(
    "description",
    [
        pytest.param({"operation": "*", "error": "forbidden"}, id="error"),
        pytest.param({"operation": "findTax", "delay_ms": 0}, id="delay"),
        pytest.param({"method": "GET", "status": 503}, id="method"),
        pytest.param({"path": "/api/v1/taxes/*", "connection": "HANG"}, id="path"),
        pytest.param({"operation": "*", "sequence": TURNS}, id="sequence"),
        pytest.param({"operation": "*", "sequence": [{}]}, id="sequence that lets pass"),
        pytest.param(
            {"operation": "*", "error": "forbidden", "skip": 3, "probability": 0.5, "seed": 1},
            id="by chance",
        ),
    ],
)
def test_fault_that_can_happen_has_no_problem(description: JSONObject) -> None:
    assert impossible(description, OPERATIONS) == []


@pytest.mark.parametrize(
    ("description", "problems"),
    [
        pytest.param({}, [WHICH, WHAT], id="nothing said"),
        pytest.param({"error": "forbidden"}, [WHICH], id="which requests"),
        pytest.param({"match": {"body": {}}, "error": "forbidden"}, [WHICH], id="match alone"),
        pytest.param(
            {"operation": "*", "code": "a", "body": 1, "when": "after"}, [WHAT], id="what happens"
        ),
        pytest.param(
            {"operation": "*", "error": "forbidden", "sequence": [{}], "when": "after"},
            [Problem("sequence", "say in its outcomes: error, when", "fault", ("sequence",))],
            id="sequence beside an outcome",
        ),
        pytest.param(
            {
                "operation": "*",
                "sequence": [{}, {"body": 1}, {"error": "forbidden", "status": 403}],
            },
            [
                Problem(
                    "sequence.1.body",
                    "say the status of the answer",
                    "fault",
                    ("sequence", 1, "body"),
                ),
                Problem(
                    "sequence.2.status",
                    "an error by name has its own status",
                    "fault",
                    ("sequence", 2, "status"),
                ),
            ],
            id="outcomes of a sequence",
        ),
        pytest.param(
            {"method": "PATCH", "error": "forbidden", "status": 403},
            [
                Problem(
                    "method", "no such operation takes PATCH, but GET, POST", "fault", ("method",)
                ),
                Problem("status", "an error by name has its own status", "fault", ("status",)),
            ],
            id="all at once",
        ),
    ],
)
def test_fault_that_can_never_happen_is_told_all_reasons(
    description: JSONObject, problems: list[Problem]
) -> None:
    assert impossible(description, OPERATIONS) == problems


def test_problems_of_one_fault_in_a_list_say_which() -> None:
    found = impossible({"sequence": [{"code": "a"}]}, OPERATIONS, ("faults", 3))
    assert [each.field for each in found] == ["faults.3.operation", "faults.3.sequence.0.code"]
    assert [each.pointer(None) for each in found] == [
        "/faults/3/operation",
        "/faults/3/sequence/0/code",
    ]
