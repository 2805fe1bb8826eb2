from __future__ import annotations

import argparse
import json
import os
import time

import pytest

from benchmarks.__main__ import chosen_parts, part_names
from benchmarks.conditions import busy_ticks, cpu_model
from benchmarks.connection import Answer, LoadError, accepted, parse_head, read_answer, request
from benchmarks.customer import EXTERNAL_ID, PHONE, body, delete, fixture_set, get, put, update
from benchmarks.environments import reason
from benchmarks.growth import Growth, growth_table
from benchmarks.peers import iam, prism_path, read_stripe_customer
from benchmarks.processes import cpu_clock, port_in, resident_kib
from benchmarks.report import compared, grown
from benchmarks.sizes import BLOCK, OPERATIONS, PER_PAGE, SIZES, Customers
from benchmarks.table import Ratio, Row, shown, table
from benchmarks.wrk import Load, parse

PRINTED = """\
Running 4s test @ http://127.0.0.1:40001/api/v1/customers
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   512.33us  201.10us   7.81ms   91.42%
    Req/Sec    29.10k     1.52k   31.40k    82.50%
  Latency Distribution
     50%  455.00us
     75%  560.00us
     90%  700.00us
     99%    1.21ms
  115872 requests in 4.00s, 17.35MB read
Requests/sec:  28964.21
Transfer/sec:      4.34MB
"""


@pytest.mark.parametrize(
    ("ratio", "ratios"),
    [
        pytest.param("left / right", [0.5, 2.0], id="left-by-right"),
        pytest.param("right / left", [2.0, 0.5], id="right-by-left"),
        pytest.param("none", [], id="none"),
    ],
)
def test_a_ratio_is_taken_in_each_round(ratio: Ratio, ratios: list[float]) -> None:
    assert Row("", "", [10.0, 40.0], [20.0, 20.0], ratio).ratios() == ratios


def test_a_row_whose_sides_lack_a_round_has_no_ratios() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Row("", "", [10.0, 40.0], [20.0], "left / right").ratios()


def test_the_table_shows_medians_and_the_median_ratio_with_its_range() -> None:
    rows = [
        Row("start", "s", [0.1, 0.3, 0.2], [0.2, 0.3, 0.3], "right / left", "≤ 2.0"),
        Row("memory", "KiB", [], [2048.0]),
    ]
    assert table(rows, "bare", "ours").splitlines() == [
        "|        | unit | bare  | ours  | ratio | over rounds  | ratio is    | goal  |",
        "| ------ | ---- | ----- | ----- | ----- | ------------ | ----------- | ----- |",
        "| start  | s    | 0.200 | 0.300 | 1.50  | 1.00 to 2.00 | ours / bare | ≤ 2.0 |",
        "| memory | KiB  |       | 2,048 |       |              |             |       |",
    ]


@pytest.mark.parametrize(
    ("ratio", "name", "ratios", "middle"),
    [
        pytest.param("left / right", "bare / ours", [0.5, 0.25], 0.375, id="with-a-ratio"),
        pytest.param("none", "none", [], None, id="without-one"),
    ],
)
def test_a_row_as_json_holds_every_round(
    ratio: Ratio, name: str, ratios: list[float], middle: float | None
) -> None:
    row = Row("GET", "ms", [1.0, 1.0], [2.0, 4.0], ratio, "≥ 1.0")
    assert row.as_json("bare", "ours") == {
        "name": "GET",
        "unit": "ms",
        "bare": [1.0, 1.0],
        "ours": [2.0, 4.0],
        "ratio": name,
        "ratios": ratios,
        "median_ratio": middle,
        "goal": "≥ 1.0",
    }


@pytest.mark.parametrize(
    ("figure", "text"),
    [(0.2154, "0.215"), (1.0, "1"), (54.32, "54.3"), (312.4, "312"), (28964.2, "28,964")],
)
def test_figures_are_shown_with_the_digits_that_count(figure: float, text: str) -> None:
    assert shown(figure) == text


def test_parse_reads_what_wrk_counted() -> None:
    assert parse(PRINTED) == Load(requests=115872, rate=28964.21, p50=0.455, p99=1.21)


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [("455.00us", 0.455), ("12.50ms", 12.5), ("1.20s ", 1200.0), ("0.50m ", 30000.0)],
)
def test_parse_turns_every_unit_of_wrk_into_milliseconds(written: str, milliseconds: float) -> None:
    assert parse(PRINTED.replace("1.21ms", written)).p99 == milliseconds


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        pytest.param(
            f"{PRINTED}  Non-2xx or 3xx responses: 7\n",
            "^Non-2xx or 3xx responses: 7$",
            id="refused",
        ),
        pytest.param(
            f"{PRINTED}  Socket errors: connect 0, read 3, write 0, timeout 0\n",
            "^Socket errors: connect 0, read 3, write 0, timeout 0$",
            id="broken",
        ),
        pytest.param(PRINTED.replace("115872", "0"), "^wrk printed: Running", id="no-answer"),
        pytest.param("unable to connect\n", "^wrk printed: unable to connect$", id="no-figures"),
        pytest.param(
            PRINTED.replace("99%", "98%"), "^wrk printed no 99 %: Running 4s", id="no-percentile"
        ),
    ],
)
def test_parse_refuses_a_load_that_went_wrong(printed: str, reason: str) -> None:
    with pytest.raises(LoadError, match=reason):
        parse(printed)


def test_the_cpu_clock_of_a_process_is_what_that_process_itself_reads() -> None:
    before = time.process_time()
    read = time.clock_gettime(cpu_clock(os.getpid()))
    assert before <= read <= time.process_time()


def test_resident_kib_is_the_memory_in_the_status() -> None:
    assert resident_kib("Name:\tpython\nVmHWM:\t   60000 kB\nVmRSS:\t   50492 kB\n") == 50492


@pytest.mark.parametrize(
    ("line", "port"),
    [
        pytest.param("41873\n", 41873, id="bare"),
        pytest.param(
            "Listening on http://127.0.0.1:35913, API below http://127.0.0.1:35913/api/v1\n",
            35913,
            id="lago-mock",
        ),
        pytest.param("Mocked: 11 of 204 operations\n", None, id="other-line"),
    ],
)
def test_port_in_reads_the_line_that_names_it(line: str, port: int | None) -> None:
    assert port_in(line) == port


def test_cpu_model_is_the_first_named() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: Fast CPU 9\nmodel name\t: other\n") == (
        "Fast CPU 9"
    )


def test_busy_ticks_leave_out_idle_waiting_interrupts_and_guests() -> None:
    assert busy_ticks("cpu  100 20 30 9000 800 4 5 6 70 7\ncpu0 1 2 3 4 5 6 7 8 9 0\n") == 156


def test_the_customer_has_forty_fields() -> None:
    customer = body()["customer"]
    nested = [len(each) - 1 for each in customer.values() if isinstance(each, dict)]
    assert (len(customer) + sum(nested), customer["external_id"]) == (40, EXTERNAL_ID)


def test_a_request_declares_the_length_of_its_body() -> None:
    assert request("POST", "/things", {"Accept": "*/*"}, b"{}") == (
        b"POST /things HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}"
    )


def test_a_request_without_body_declares_no_length() -> None:
    assert request("GET", "/", {}) == b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_parse_head_reads_status_and_headers() -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\nX-Runtime:0.002500"
    assert parse_head(head) == (404, {"content-length": "7", "x-runtime": "0.002500"})


def test_parse_head_reads_a_status_without_headers() -> None:
    assert parse_head(b"HTTP/1.1 204 No Content") == (204, {})


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"], id="at-once"),
        pytest.param(
            [b"HTTP/1.1 200 OK\r\ncontent-length", b": 4\r\n\r", b"\nbo", b"dy"], id="in-parts"
        ),
    ],
)
def test_an_answer_is_whole_when_its_declared_length_is_there(parts: list[bytes]) -> None:
    answer = read_answer(lambda: parts.pop(0))
    assert (answer, parts) == (Answer(200, {"content-length": "4"}, b"body"), [])


def test_an_answer_that_declares_no_length_has_no_body() -> None:
    parts = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    assert read_answer(lambda: parts.pop(0)) == Answer(204, {}, b"")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"HTTP/1.1 200", b""], id="in-its-head"),
        pytest.param([b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo", b""], id="in-its-body"),
    ],
)
def test_an_answer_that_ends_too_early_is_no_answer(parts: list[bytes]) -> None:
    with pytest.raises(LoadError, match=r"^the server closed the connection before its answer"):
        read_answer(lambda: parts.pop(0))


def test_a_refused_request_ends_the_measurement_with_what_was_answered() -> None:
    with pytest.raises(LoadError, match=r"^a request was refused: 422 b'no such currency'$"):
        accepted(Answer(422, {}, b"no such currency"))


def test_an_answer_says_how_long_the_server_took() -> None:
    assert Answer(200, {"x-runtime": "0.002500"}, b"").milliseconds() == 2.5


def test_the_create_differs_in_the_external_id_alone() -> None:
    body_sent = put("bench-00000042").partition(b"\r\n\r\n")[2]
    assert json.loads(body_sent)["customer"] == {
        **body()["customer"],
        "external_id": "bench-00000042",
    }


def test_the_update_has_another_phone_and_leaves_the_metadata_as_they_are() -> None:
    body_sent = update("bench-00000042", "+45 00000007").partition(b"\r\n\r\n")[2]
    expected = {**body()["customer"], "external_id": "bench-00000042", "phone": "+45 00000007"}
    del expected["metadata"]
    assert (json.loads(body_sent)["customer"], len(PHONE)) == (expected, len("+45 00000007"))


def test_a_fixture_set_holds_the_customers_and_the_tax_that_they_name() -> None:
    found = json.loads(fixture_set(["a", "b"]))
    customer = body()["customer"]
    assert (found["customers"], [tax["code"] for tax in found["taxes"]]) == (
        [{**customer, "external_id": "a"}, {**customer, "external_id": "b"}],
        customer["tax_codes"],
    )


def test_a_fixture_set_may_hold_no_customer() -> None:
    assert json.loads(fixture_set([]))["customers"] == []


def _first_lines(requests: list[bytes]) -> list[str]:
    return [each.split(b"\r\n", 1)[0].decode() for each in requests]


def test_a_cycle_of_operations_leaves_as_many_customers_as_there_were() -> None:
    customers = Customers()
    customers.create()
    sent = {name: len(requests(customers)) for name, requests in OPERATIONS.items()}
    assert (sent, len(customers)) == (dict.fromkeys(OPERATIONS, BLOCK), BLOCK)


def test_the_customers_read_at_once_are_all_different() -> None:
    customers = Customers()
    customers.create()
    assert sorted(customers.read()) == [get(f"bench-{n:08d}") for n in range(1, BLOCK + 1)]


def test_what_was_deleted_is_not_asked_for_again() -> None:
    customers = Customers()
    customers.create()
    customers.create()
    deleted, left = customers.delete(), customers.read()
    known = {f"bench-{n:08d}" for n in range(1, 2 * BLOCK + 1)}
    gone = {each for each in known if delete(each) in deleted}
    assert {get(each) for each in known - gone} == set(left)


def test_each_update_gives_a_phone_that_the_customer_has_not() -> None:
    customers = Customers()
    customers.create()
    assert not set(customers.update()) & set(customers.update())


def test_the_first_page_is_full_at_each_size() -> None:
    assert (
        _first_lines(Customers().first_page())
        == [f"GET /api/v1/customers?per_page={min(SIZES)} HTTP/1.1"] * BLOCK
    )
    assert min(SIZES) == PER_PAGE


GROWTH = Growth("read", "µs", {10: [100.0, 200.0, 300.0], 1000: [110.0, 300.0, 300.0]}, "≤ 1.2")


def test_growth_is_against_the_smallest_size_in_each_turn() -> None:
    assert GROWTH.ratios(1000) == [1.1, 1.5, 1.0]


def test_the_growth_table_shows_medians_and_median_ratios() -> None:
    assert growth_table([GROWTH]).splitlines() == [
        "|      | unit | 10  | 1,000 | 1,000 / 10 | goal  |",
        "| ---- | ---- | --- | ----- | ---------- | ----- |",
        "| read | µs   | 200 | 300   | 1.10       | ≤ 1.2 |",
    ]


def test_growth_as_json_holds_every_turn() -> None:
    assert GROWTH.as_json() == {
        "name": "read",
        "unit": "µs",
        "figures": {"10": [100.0, 200.0, 300.0], "1000": [110.0, 300.0, 300.0]},
        "ratios": {"10": [1.0, 1.0, 1.0], "1000": [1.1, 1.5, 1.0]},
        "median_ratios": {"10": 1.0, "1000": 1.1},
        "goal": "≤ 1.2",
    }


def test_a_section_is_a_title_above_a_table() -> None:
    section = compared("waits", "Waits", [Row("reset", "ms", [], [2.0])], ("without", "with"))
    assert section.text() == f"Waits\n\n{section.table}\n"
    assert section.rows == [Row("reset", "ms", [], [2.0]).as_json("without", "with")]


def test_a_section_of_sizes_holds_their_table_and_every_figure() -> None:
    section = grown("sizes", "Sizes", [GROWTH])
    assert (section.table, section.rows) == (growth_table([GROWTH]), [GROWTH.as_json()])


@pytest.mark.parametrize(
    ("only", "peers", "chosen"),
    [
        pytest.param(
            None,
            False,
            ["start", "requests", "webhooks", "sizes", "resets", "plugin"],
            id="all-but-peers",
        ),
        pytest.param(
            None,
            True,
            ["start", "requests", "webhooks", "sizes", "resets", "plugin", "peers"],
            id="all",
        ),
        pytest.param(["resets", "start"], False, ["start", "resets"], id="some-in-our-order"),
        pytest.param(["resets"], True, ["resets", "peers"], id="one-and-peers"),
        pytest.param(["peers"], False, ["peers"], id="peers-alone"),
    ],
)
def test_parts_are_measured_in_their_own_order(
    only: list[str] | None, peers: bool, chosen: list[str]
) -> None:
    assert chosen_parts(only, peers=peers) == chosen


def test_part_names_are_split_at_commas() -> None:
    assert part_names("sizes,resets") == ["sizes", "resets"]


def test_a_part_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(
        argparse.ArgumentTypeError,
        match=(
            r"^no part 'reset'; there are: "
            r"start, requests, webhooks, sizes, resets, plugin, peers$"
        ),
    ):
        part_names("sizes,reset")


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        pytest.param(
            "WARNING: old\nERROR: No matching distribution\n",
            "ERROR: No matching distribution",
            id="pip",
        ),
        pytest.param(
            "npm error code E404\nnpm error 404 Not Found\n", "npm error code E404", id="npm"
        ),
        pytest.param("", "", id="silence"),
    ],
)
def test_the_reason_of_a_failed_installation_is_its_first_error(printed: str, line: str) -> None:
    assert reason(printed) == line


def test_prism_is_asked_below_no_base_path() -> None:
    assert _first_lines([prism_path(get("acct-1"))]) == ["GET /customers/acct-1 HTTP/1.1"]


def test_a_stripe_customer_is_read_by_the_id_that_its_creation_answered() -> None:
    read = read_stripe_customer(1, b'{"id": "cus_7", "object": "customer"}')
    assert _first_lines([read]) == ["GET /v1/customers/cus_7 HTTP/1.1"]


def test_an_iam_call_is_a_form_that_names_its_action_and_user() -> None:
    assert iam("GetUser", 7).partition(b"\r\n\r\n")[2] == (
        b"Action=GetUser&Version=2010-05-08&UserName=bench-7"
    )
