"""The bench measures a real server and says what it lacks."""

from __future__ import annotations

import argparse
import collections
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bench import history, load, machine, place, plugins, pressure, reading, turns
from tools.bench.__main__ import OTHERS, ROWS, built, check, come_back
from tools.bench.load import Load
from tools.bench.rest import Rest, metric, milliseconds

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere: the generator needs Linux"),
]


def test_rooms_are_spread_evenly() -> None:
    wanted = Load(1000, rooms=100, per=10)
    members = collections.Counter(load.room_of(number, slot, wanted) for number in range(1000) for slot in range(10))
    assert sorted(members) == list(range(100)) and set(members.values()) == {100}


def test_short_runs_of_both_generators_count_every_delivery(pyz: Path, tmp_path: Path) -> None:
    with place.alonechat(pyz, tmp_path / "place", 5) as bench:
        for binary in (load.compiled(tmp_path), None):  # without a compiler that is None twice
            found = load.run(binary, bench, Load(5, senders=2, rate=50, windows=1, seconds=1), tmp_path, again=0)
            full = load.run(binary, bench, Load(5, 2, 4, windows=2, seconds=0.2), tmp_path, again=0)
            assert found["lost"] == full["lost"] == 0 and found["p99_us"] > 0 and full["us_per_deliv"] > 0
            assert 100 < found["dps"] < 400 < full["dps"] and len(full["windows"]) == 2
        assert bench.resident() > 1 << 20 and bench.cpu() > 0 and 0 < bench.start_s < 30
    with pytest.raises(FileNotFoundError):
        bench.cpu()


def test_without_a_compiler_python_generates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load.shutil, "which", lambda name: None)
    assert load.generator() is None


def test_a_member_checks_what_arrives(pyz: Path, tmp_path: Path) -> None:
    found = check("universal", tmp_path, seconds=1)
    assert found["heard"] > 100 and found["wrong"] == []


def test_the_row_return_brings_all_back_at_once_and_in_turns(pyz: Path, tmp_path: Path) -> None:
    found = come_back("universal", 200, tmp_path)
    for way in ("at_once", "by_64"):
        assert found[way]["n"] == 200 and found[way]["dead"] == 0
        assert 0 < found[way]["login_p50_s"] <= found[way]["login_s"] + 0.01 < 30


def test_idle_connections_cost_memory_and_next_to_no_processor(pyz: Path, tmp_path: Path) -> None:
    with place.alonechat(pyz, tmp_path / "place", 50) as bench:
        found = load.idle(load.compiled(tmp_path), bench, 50, tmp_path, 0.2, 1.5)
    assert found["n"] == 50 and found["dead"] == 0 and found["kb_per_conn"] > 0
    assert 0 < found["idle_cpu_pct"] < 50


def test_the_row_overload_presses_and_watches(pyz: Path, tmp_path: Path) -> None:
    found = pressure.overload(pyz, tmp_path, 1)
    assert found["offered_msgs_s"] > 300 and found["done_msgs_s"] > 50 and found["disconnected"] == 0
    assert found["rss_peak_mib"] >= 20 and 0 < found["sign_in_p50_s"] <= found["sign_in_worst_s"] < 30
    assert found["back_to_normal_s"] < 60


def test_the_rows_signins_and_sends(pyz: Path, tmp_path: Path) -> None:
    found = pressure.signins(pyz, tmp_path / "signins", 2, 0.5)
    assert found["echoes"] > 0 and found["all_in_s"] > 0 and found["meanwhile"]["p99_ms"] > 0
    found = pressure.sends(pyz, tmp_path / "sends", 3, 0.5)
    assert found["per_s"] > 20 and 0 < found["p50_ms"] <= found["p99_ms"] <= found["worst_ms"]


def test_a_long_history_is_built_gone_on_with_and_read(
    pyz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGES", 20)
    monkeypatch.setattr(reading, "ROUNDS", 2)
    given = argparse.Namespace(messages=[1000, 1500], history=tmp_path / "data")
    lengths = OTHERS["long"](str(pyz), tmp_path / "place", given)
    assert [(found["messages"], found["added"]) for found in lengths] == [(1000, 1000), (1500, 500)]
    for found in lengths:
        assert 100 < found["bytes_per_message"] < 5000
        assert found["history"]["p99_ms"] > 0 < found["recv"]["p99_ms"] and len(found["search"]) == 10
    assert {len(history.Texts(3).text(number).encode()) for number in range(50)} == {history.BYTES}


def test_a_plugin_costs_little_and_echoes_are_timed_beside_it(pyz: Path, tmp_path: Path) -> None:
    cost = plugins.cost(tmp_path / "cost")
    assert 0 < cost["start_s"] < 5 and 5 < cost["memory_mib"] < 60
    took = plugins.measured({"raises": plugins.BAD["raises"]}, False, 0.3, tmp_path / "raises")
    assert plugins.busy() > plugins.own() > 0
    p99s = [{"p99": value} for value in (1.0, 1.4, 9.0)]
    assert plugins.verdict("raises", p99s, [1.2, 1.5]).endswith("p99s 1.00 to 9.00   within the noise")
    assert plugins.verdict("raises", p99s, [1.2, 1.3]).endswith("above 1.30")
    tries = iter(([3.0], [2.0], [1.0]))
    assert plugins.undisturbed(lambda: next(tries), 3)[0] in ([3.0], [2.0], [1.0])
    assert len(took) > 10 and plugins.shown(took)["p50"] <= plugins.shown(took)["worst"]


def test_rest_and_figures(pyz: Path, tmp_path: Path) -> None:
    with place.alonechat(pyz, tmp_path, 1) as bench:
        rest = Rest(bench.rest, bench.signed_in()[0])
        assert rest.get("/me")["username"] == "u0" and rest.ask("GET", "/nothing")[0] == 404
        assert rest.ask("POST", "/send", {"content": "hello"})[0] == 201
        assert metric(bench.rest, "alonechat_events_total") == 1
        rest.close()
    assert milliseconds([0.001] * 98 + [0.002, 0.003]) == {"p50_ms": 1, "p99_ms": 3, "worst_ms": 3}


def test_servers_are_loaded_in_turns(pyz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "has_inspircd", lambda: False)
    found = turns.measure("row", Load(5, 2, rate=100, seconds=0.3), [pyz, pyz], 2, tmp_path)
    assert [each["server"] for each in found[:2]] == ["alonechat alonechat", "alonechat alonechat"]
    for each in found:
        assert len(each["rounds"]) == 2 and each["lost"] == 0 and each["dps"] > 50
    one, other = (
        [{"dps": dps, "p50_us": 1, "p99_us": 1, "us_per_deliv": 1} for dps in row] for row in ((2, 8, 9), (1, 2, 3))
    )
    assert turns.ratios(one, other)["dps"] == 3 and turns.ratios(other, other)["dps"] == 1


def test_what_the_machine_does_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = machine.flushes(tmp_path, 200, 0.05, windows=3)
    assert 0 < found["p50_us"] <= found["p99_us"] and len(found["windows"]) == 3
    assert (tmp_path / "flushed").stat().st_size == machine.LOG
    ticks = iter([(100, 1000), (103, 1200)])
    monkeypatch.setattr(machine, "_ticks", lambda: next(ticks))
    assert machine.Others().percent() == 1.5
    assert "others took 1.5 %" in machine.said(1.5) and machine.said(0.1) == ""


def test_windows_in_which_others_took_much_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, runs = place.Bench("none", 1, 1), iter([[(9.0, 5), (0.1, 1)], [(2.0, 4), (0.0, 3)], [(0.0, 2), (0.0, 2)]])

    def windows(*_given: object) -> list[dict[str, float]]:
        return [{"others_pct": taken, "p50_us": took} for taken, took in next(runs)]

    monkeypatch.setattr(load, "_windows", windows)
    found = load.run(None, bench, Load(1, windows=2), tmp_path)
    assert (found["p50_us"], found["others_pct"], found["left_out"]) == (2, 0.05, 2)
    assert len(list(runs)) == 1, "it goes on only while too few are of use"
    runs = iter([[(9.0, 5), (8.0, 7)], [(7.0, 1), (6.0, 3)], [(5.0, 4), (9.0, 9)]])
    found = load.run(None, bench, Load(1, windows=2), tmp_path)
    assert [each["p50_us"] for each in found["windows"]] == [4, 3] and found["left_out"] == 4


def test_a_generator_that_fails_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="the generator failed on nobody"):
        load.run(load.compiled(tmp_path), place.Bench("nobody", place.free_port(), 1), Load(1, windows=1), tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no file .*other\.pyz"):
        built(str(tmp_path / "other.pyz"))


def test_what_is_not_measured_in_turns_is_named() -> None:
    command = [sys.executable, "-m", "tools.bench", "--turns"]
    for given, said in ((["2", "idle"], "no row idle in turns"), (["-1"], "1 or more, not -1")):
        done = subprocess.run([*command, *given], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and said in done.stderr


def test_lengths_of_a_history_that_do_not_grow_are_named() -> None:
    command = [sys.executable, "-m", "tools.bench", "long", "--messages"]
    for given in ("2000 1000", "1000 1000", "5"):
        done = subprocess.run([*command, *given.split()], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and f"each more than the one before, not {given}" in " ".join(done.stderr.split())


def test_wrong_rows_are_named() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.bench", "nothing"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no row nothing" in done.stderr
    assert all(row in done.stderr for row in [*ROWS, *OTHERS])
