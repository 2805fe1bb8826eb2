from __future__ import annotations

import pytest

from benchmarks.conditions import busy_ticks, cpu_model
from benchmarks.customer import EXTERNAL_ID, body
from benchmarks.processes import cpu_ticks, port_in, resident_kib
from benchmarks.table import Ratio, Row, shown, table
from benchmarks.wrk import Load, LoadError, parse

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
    [("455.00us", 0.455), ("12.50ms", 12.5), ("1.20s", 1200.0), ("0.50m", 30000.0)],
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
        pytest.param(PRINTED.replace("99%", "98%"), "^wrk printed no 99 %$", id="no-percentile"),
    ],
)
def test_parse_refuses_a_load_that_went_wrong(printed: str, reason: str) -> None:
    with pytest.raises(LoadError, match=reason):
        parse(printed)


def test_cpu_ticks_are_user_and_system_time_whatever_the_process_is_called() -> None:
    assert cpu_ticks("81 (a) b (c) S 1 81 81 0 -1 4194304 900 0 0 0 250 31 7 9 20 0 1 0 5") == 281


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
