"""The benchmark without a device: statistics, turns, the grid, records, tables, plots, the command line."""

import json
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from winnow.bench import cli, grid, plot, record, stats, table, turns
from winnow.bench.grid import Budget, Case


def timed(stage, who, milliseconds, **more):
    return {"stage": stage, "who": who, "median_ms": milliseconds, **more}


def a_case(tokens=8192, mode="sustained", layout="2:4", scale=1.0, density=10.0, shape=(4096, 16384)):
    """Every ratio of its dynamic forward is 2 * scale."""
    return {
        "d_model": shape[0], "d_ffn": shape[1], "tokens": tokens, "density_percent": density, "mode": mode,
        "layout": {"forward": layout, "forward static": layout}, "clocks": {"sm_mhz": 1500.0, "power_w": 690.0},
        "left_out": [],
        "times": [
            timed("gemm 2", "winnow", 1.0 / scale, tflops=1000.0), timed("gemm 2", "torch", 3.0),
            timed("gemm 2", "torch tensor-wise", 2.0), timed("gemm 2", "cusparselt", 1.2),
            timed("gemm 2", "winnow dense", 2.2),
            timed("forward", "winnow", 2.0 / scale), timed("forward", "torch", 4.0),
            timed("forward", "winnow dense", 3.0),
            timed("forward static", "winnow", 1.6 / scale), timed("forward static", "torch", 4.4),
        ],
    }  # fmt: skip


def a_record(cases, **more):
    return {
        "schema": record.SCHEMA, "version": record.VERSION, "date": "2026-11-22T12:00:00+00:00", "build": "0.1+abc",
        "device": {"name": "H100", "driver": "580"}, "complete": True, "cases": cases, **more,
    }  # fmt: skip


# Statistics.


@given(st.lists(st.integers(1, 10**6).map(float), min_size=1, max_size=50))
def test_spread_is_in_order_and_within_the_sample(sample):
    found = stats.spread(sample)
    assert min(sample) <= found.p10 <= found.median <= found.p90 <= max(sample)
    assert found.samples == len(sample)


def test_spread_of_known_values():
    assert stats.spread([float(i) for i in range(11)]) == (5.0, 1.0, 9.0, 11)
    with pytest.raises(ValueError, match="at least one sample"):
        stats.spread([])


def test_geometric_mean():
    assert stats.geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert stats.geometric_mean([]) is None


def test_what_json_holds_is_finite():
    assert stats.finite(float("nan")) is None and stats.finite(None) is None
    assert stats.finite(1.23456789, 3) == 1.23


def test_bias_for_density():
    assert stats.bias_for_density(0.5) == pytest.approx(0.0)
    assert stats.bias_for_density(0.1) == pytest.approx(-1.2816, abs=1e-4)


# Turns.


class Clock:
    """Seconds that pass only when a candidate runs."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Done:
    def __init__(self, samples):
        self.samples = samples

    def wait(self):
        return self.samples


@given(st.integers(1, 6), st.floats(0.0, 3.0), st.integers(0, 2), st.integers(0, 2**32))
def test_everybody_has_as_many_turns(count, seconds, ahead, seed):
    clock, order = Clock(), []

    def enqueue(name):
        clock.now += 0.1
        order.append(name)
        return Done([float(name), clock.now])

    samples = turns.take_turns(range(count), enqueue, seconds, clock, random.Random(seed), ahead)
    rounds = len(order) // count
    assert rounds >= turns.MINIMUM_ROUNDS and clock.now >= seconds
    assert all(len(samples[name]) == 2 * rounds and set(samples[name][::2]) == {float(name)} for name in range(count))
    for i in range(rounds):
        assert sorted(order[i * count : (i + 1) * count]) == list(range(count)), "each round holds everybody once"


def test_order_is_drawn_anew_for_each_round():
    clock, order = Clock(), []

    def enqueue(name):
        clock.now += 1.0
        order.append(name)
        return Done([1.0])

    turns.take_turns(range(5), enqueue, 200.0, clock, random.Random(1))
    rounds = [tuple(order[i : i + 5]) for i in range(0, len(order), 5)]
    assert len(set(rounds)) > 20
    followers = {(a, b) for a, b in zip(order, order[1:]) if a != b}
    assert len(followers) == 20, "everybody follows everybody at some time"


def test_a_turn_is_read_only_when_the_next_round_is_enqueued():
    clock, events = Clock(), []

    class Turn:
        def __init__(self, number):
            self.number = number

        def wait(self):
            events.append(f"read {self.number}")
            return [0.0]

    def enqueue(_):
        clock.now += 1.0
        events.append(f"enqueue {int(clock.now)}")
        return Turn(int(clock.now))

    turns.take_turns(["one"], enqueue, 3.0, clock, random.Random(0), ahead=1)
    assert events == ["enqueue 1", "enqueue 2", "read 1", "enqueue 3", "read 2", "read 3"]


def test_nobody_to_time():
    assert turns.take_turns([], Done, 1.0, Clock(), random.Random(0)) == {}


@given(st.floats(1e-7, 1.0), st.integers(1, 9))
def test_samples_are_long_enough(seconds, copies):
    calls = turns.calls_per_sample(seconds, 1e-3, copies)
    assert calls >= 1 and calls % copies == 0 and calls * seconds >= 0.999e-3


# The grid.


def test_grid_of_the_documents():
    cases = grid.cases(grid.SHAPES, grid.TOKENS, grid.DENSITIES, ["sustained"])
    assert len(cases) == 7 * 9 * 5 == len(set(cases))
    first = cases[: 7 * 9]
    assert {case.density for case in first} == {10.0}, "what runs out of time first are the other densities"
    assert max(case.bytes for case in cases) < 70 << 30, "all of it fits an H100"


def test_weights_take_turns_for_few_tokens_only():
    assert Case(4096, 16384, 16, 10.0, "sustained").copies == 4
    assert Case(18432, 73728, 1, 10.0, "sustained").copies == 2
    assert Case(4096, 16384, 4096, 10.0, "sustained").copies == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--shapes=4096"],
            "argument --shapes: expected D_MODEL/D_FFN with positive sizes, as in 4096/16384, got '4096'",
        ),
        (["--shapes=100/200"], "expected multiples of 16, which torch's f8 products need, got '100/200'"),
        (["--tokens=0"], "argument --tokens: expected token counts from 1 to 2147483647, got '0'"),
        (["--densities=0"], "argument --densities: expected percentages between 0 and 100, got '0'"),
        (["--densities=x"], "argument --densities: expected percentages between 0 and 100, got 'x'"),
        (["--modes=cold"], "argument --modes: expected sustained or burst, got 'cold'"),
        (["--budget=0"], "argument --budget: expected a number above 0, got '0'"),
        (["--budget=nan"], "argument --budget: expected a number, got 'nan'"),
        (["--soak=-1"], "argument --soak: expected a number of at least 0, got '-1'"),
        (["--max-drop=2"], "argument --max-drop: expected a fraction from 0 to 1, got '2'"),
        (["--without=jax"], "argument --without: expected some of torch, compile, cusparselt, dense, got 'jax'"),
        (["--plot=x.gif"], "argument --plot: x.gif: expected a name that ends in .png, .svg, .pdf"),
        (["file"], "unrecognized arguments: file"),
    ],
)
def test_wrong_command_lines(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit:
        cli.main(arguments)
    assert exit.value.code == 2
    assert message in capsys.readouterr().err


def test_list(capsys):
    assert cli.main(["--list", "--shapes=64/256,64/256", "--tokens=1,4096", "--densities=5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "64/256, 1 tokens, 5 %, sustained",
        "64/256, 4096 tokens, 5 %, sustained",
    ]


# The budget.


def test_without_a_budget_everybody_gets_all():
    assert Budget(None, 10, 1.5, 0.3).allot(1e6) == 1.5


def test_budget_is_divided_and_overhead_is_learnt():
    budget = Budget(20.0, 10, 5.0, 0.3)
    assert budget.allot(0.0) == pytest.approx(2.0)
    budget.spend(1.0)
    assert budget.allot(3.0) == pytest.approx(17.0 / 9 - 1.0)


def test_overhead_grows_with_the_case():
    budget = Budget(20.0, 5, 5.0, 0.3)
    budget.spend(1.0, size=2.0)
    assert budget.allot(4.0, size=2.0) == pytest.approx(16.0 / 4 - 1.0)
    assert budget.allot(4.0, size=4.0) == pytest.approx(16.0 / 4 - 2.0)
    assert budget.allot(4.0, size=40.0) == 0.0, "it would not fit"


@given(st.floats(1.0, 200.0), st.integers(1, 60), st.floats(0.0, 4.0))
def test_budget_is_kept(seconds, count, overhead):
    """Whatever cases cost beside their timing, at most the first one is a surprise."""
    budget, elapsed = Budget(seconds, count, 1.5, 0.3), 0.0
    for _ in range(count):
        share = budget.allot(elapsed)
        assert share == 0.0 or 0.3 <= share <= 1.5
        budget.spend(overhead if share else None)
        elapsed += (share + overhead) if share else 0.0
    assert elapsed <= seconds + overhead + 1e-6


# Records.


def test_ratios_are_over_the_best_dense_peer():
    found = record.ratios(a_case())
    assert found["gemm 2"] == 2.0, "over tensor-wise, which was faster than row-wise"
    assert found["gemm 2 over cusparselt"] == pytest.approx(1.2)
    assert found["gemm 2 over winnow dense"] == pytest.approx(2.2)
    assert found["forward"] == 2.0
    assert found["forward static"] == 2.5, "a dense chain may ignore the given scale, where that is faster"


def test_summary_takes_means_over_many_tokens_only():
    cases = [a_case(scale=2.0), a_case(scale=0.5, tokens=4096), a_case(scale=0.1, tokens=64), {**a_case(), "times": []}]
    found = {figure.name: figure for figure in record.summary(cases, "sustained")}
    mean = found["sparse GEMM 2 over the best dense GEMM, >= 4096 tokens, geometric mean"]
    assert mean.value == pytest.approx(2.0) and mean.over == 2
    worst = found["worst forward over the best dense chain"]
    assert worst.value == pytest.approx(0.2) and worst.where == "forward, 4096/16384, 64 tokens, 10 %"
    assert record.summary(cases, "burst") == []


def test_dense_cases_do_not_count_as_sparse():
    found = {figure.name for figure in record.summary([a_case(layout="dense")], "sustained")}
    assert not any("sparse" in name for name in found)
    assert "forward with dynamic scales over the best dense chain, >= 4096 tokens, geometric mean" in found


def test_json_comes_back(tmp_path):
    path = tmp_path / "run.json"
    record.write_json(path, a_record([a_case()]))
    assert record.read_json(path) == a_record([a_case()])
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "run.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="JSON compliant"):
        record.write_json(path, {"x": float("nan")})
    assert path.read_text() == "old" and [file.name for file in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON"),
        ("[]", "expected what winnow.bench --json wrote"),
        ('{"schema": "winnow.bench", "version": 99}', "expected version 1 of the schema, got 99"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message, capsys):
    path = tmp_path / "other.json"
    path.write_text(text)
    assert cli.main([f"--from={path}"]) == 1
    assert message in capsys.readouterr().err


def test_missing_file(capsys):
    assert cli.main(["--from=/nonexistent/run.json"]) == 1
    assert "No such file" in capsys.readouterr().err


# Tables and plots.


def test_table(tmp_path, capsys):
    left_out = [{"stage": "gemm 2", "who": "cusparselt", "reason": "not supported", "wrong": False}]
    skipped = {**a_case(tokens=16384), "skipped": "needs about 90 GiB of device memory, 79 are free"}
    del skipped["times"]
    cases = [{**a_case(), "left_out": left_out}, a_case(tokens=1, layout="dense"), skipped, a_case(mode="burst")]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(a_record(cases, complete=False)))
    assert cli.main([f"--from={path}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "H100, driver 580; Winnow 0.1+abc; 2026-11-22T12:00:00+00:00"
    assert "(interrupted: what had been measured by then)" in lines
    times = lines.index("sustained: milliseconds per call (median)")
    assert lines[times + 1].split() == (
        "shape tokens % gemm 2 forward static g2 row g2 tensor cuSPARSELt torch fwd torch static SM MHz W".split()
    )
    assert lines[times + 2].split() == (
        "4096/16384 8192 10 1.000 2.000 1.600 3.000 2.000 1.200 4.000 4.400 1500 690".split()
    )
    assert "  cusparselt, gemm 2: not supported (4096/16384 at 8192 tokens)" in lines
    assert "  needs about 90 GiB of device memory, 79 are free (4096/16384 at 16384 tokens)" in lines
    assert any(line.startswith("figures, burst") for line in lines)
    assert any(line.split()[-4:] == ["2.000x", "(1", "cases)"] or "2.000x  (1 cases)" in line for line in lines)


def test_a_wrong_result_makes_the_command_fail(tmp_path, capsys):
    wrong = [{"stage": "gemm 2", "who": "torch", "reason": "wrong result", "wrong": True}]
    for cases, status in (([a_case()], 0), ([{**a_case(), "left_out": wrong}], 1), ([], 1)):
        path = tmp_path / "run.json"
        path.write_text(json.dumps(a_record(cases)))
        assert cli.main([f"--from={path}"]) == status
    capsys.readouterr()


@pytest.mark.parametrize("name", ["run.png", "run.svg"])
def test_plot(tmp_path, name):
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    cases = [
        a_case(tokens=tokens, density=density, shape=shape, mode=mode)
        for tokens in (1, 4096) for density in (5.0, 10.0) for shape in ((4096, 16384), (8192, 28672))
        for mode in ("sustained", "burst")
    ]  # fmt: skip
    path = tmp_path / name
    plot.draw(a_record(cases), str(path))
    if name.endswith(".svg"):
        text = path.read_text()
        assert "<svg" in text
    else:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_nothing_to_plot(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    with pytest.raises(ValueError, match="no case was timed"):
        plot.draw(a_record([]), str(tmp_path / "x.png"))


def test_plot_without_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(ImportError, match="a plot needs matplotlib: pip install matplotlib"):
        plot.draw(a_record([a_case()]), str(tmp_path / "x.png"))


def test_align():
    assert table.align([["a", "bb"], ["ccc", "d"]]) == ["  a    bb", "  ccc   d"]


def test_as_a_module_without_a_device():
    """Importing the command needs no torch; timing says what is missing."""
    listed = subprocess.run(
        [sys.executable, "-m", "winnow.bench", "--list", "--tokens=1"], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 7 * 5 and listed.stderr == ""


def test_timing_needs_torch(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert cli.main(["--tokens=1"]) == 1
    assert "timing needs torch with CUDA, and torch is not installed" in capsys.readouterr().err
