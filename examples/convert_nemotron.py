#!/usr/bin/env python3
"""Convert a Hugging Face Nemotron of random weights, check what changes and time prefill before and after.

usage: examples/convert_nemotron.py [--layers 4] [--tokens 4096] [--density 0.1] [--compile] [--json FILE] ...

The model has the ratios of a real one (hidden 4096, intermediate 16384, 32 heads, 8 of them for keys and values), fewer
layers and a small vocabulary. Random weights would make half of the activations non-zero; trained ones leave 2 to 15 %.
So the layer norm in front of each block gets a random bias b, and a multiple of b is taken from each row of the
up-projection, such that the pre-activations of a feature have standard deviation s and mean -t·s, with t the quantile
of the normal distribution at which `--density` of them are positive. What comes out is measured and printed.

Checked: the logits of the converted model differ from those of the bf16 model no more, but for 10 %, than those of an
emulation in torch, which rounds x, both weights and the activations to e4m3 by row, keeps the two largest of every four
activations where Winnow does, and multiplies in f32. The 10 % are for sums in another order, which move values across
the rounding boundaries of bf16 and e4m3. The same holds for each block by itself. Exit status 1 if it does not.

Needs torch and transformers. With --device cpu it runs anywhere, with small sizes.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable

import torch
import transformers
import winnow
from torch import Tensor, nn
from torch.nn import functional as F
from winnow.torch import SparseFFN, convert, quantize_weight

SLACK = 1.1


class Emulation(nn.Module):
    """What a converted block computes, in torch operations and f32."""

    def __init__(self, ffn: SparseFFN, selects: bool) -> None:
        super().__init__()
        self.up, self.down, self.selects = _rounded(ffn.up.weight), _rounded(ffn.down.weight), selects

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        y2 = F.relu(F.linear(_rounded(rows), self.up).bfloat16().float()).square()
        if self.selects:
            groups = y2.view(-1, 4)
            kept = groups.sort(dim=1, descending=True, stable=True).indices[:, :2]
            y2 = torch.zeros_like(groups).scatter(1, kept, groups.gather(1, kept)).view_as(y2)
        return F.linear(_rounded(y2), self.down).to(x.dtype).view_as(x)


def _rounded(matrix: Tensor) -> Tensor:
    """To e4m3 by row, and back to f32."""
    values, scales = quantize_weight(matrix)
    return values.float() * scales[:, None]


def build(options: argparse.Namespace) -> transformers.NemotronForCausalLM:
    config = transformers.NemotronConfig(
        vocab_size=options.vocab,
        hidden_size=options.hidden,
        intermediate_size=options.intermediate,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        num_key_value_heads=options.kv_heads,
        head_dim=options.hidden // options.heads,
        max_position_embeddings=max(4096, 2 * options.tokens),
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=None,
    )
    with torch.device(options.device):
        model = transformers.NemotronForCausalLM(config)
    return model.to(torch.bfloat16).eval().requires_grad_(False)


def thin_out(model: transformers.NemotronForCausalLM, density: float) -> None:
    """Makes about `density` of the activations non-zero, as the head of this file says."""
    quantile = statistics.NormalDist().inv_cdf(1 - density)
    for layer in model.model.layers:
        layer.post_attention_layernorm.weight.zero_()  # to which the layer norm adds one
        bias = torch.randn_like(layer.post_attention_layernorm.bias, dtype=torch.float32)
        layer.post_attention_layernorm.bias.copy_(bias)
        up = layer.mlp.up_proj.weight
        wide = up.float()
        deviation = wide.std() * math.sqrt(wide.shape[1])
        along = (wide @ bias + quantile * deviation) / bias.square().sum()
        up.copy_(wide - along[:, None] * bias)


def capture_inputs(model: nn.Module, ids: Tensor) -> list[Tensor]:
    """What enters each block."""
    inputs: list[Tensor] = []
    hooks = [
        layer.mlp.register_forward_pre_hook(lambda module, arguments: inputs.append(arguments[0].clone()))
        for layer in model.model.layers
    ]
    model(ids, use_cache=False)
    for hook in hooks:
        hook.remove()
    return inputs


def error_of(actual: Tensor, expected: Tensor) -> float:
    """Relative, by Frobenius norm."""
    return ((actual.double() - expected.double()).norm() / expected.double().norm()).item()


def check(before: nn.Module, after: nn.Module, ids: Tensor) -> tuple[dict[str, object], bool]:
    """Densities, and errors beside those of the emulation."""
    inputs = capture_inputs(before, ids)
    emulated = copy.deepcopy(before)
    blocks, good = [], True
    for index, x in enumerate(inputs):
        plain, ffn = before.model.layers[index].mlp, after.model.layers[index].mlp
        emulation = Emulation(ffn, x.is_cuda and selects(ffn, ids.numel()))
        emulated.model.layers[index].mlp = emulation
        expected = plain(x)
        density = (plain.up_proj(x) > 0).float().mean().item()
        error, bound = error_of(ffn(x), expected), SLACK * error_of(emulation(x), expected)
        good &= error <= bound
        blocks.append({"block": index, "density": density, "error": error, "bound": bound})
    logits = before(ids, use_cache=False).logits
    error = error_of(after(ids, use_cache=False).logits, logits)
    bound = SLACK * error_of(emulated(ids, use_cache=False).logits, logits)
    return {"blocks": blocks, "logits": {"error": error, "bound": bound}}, good and error <= bound


def selects(ffn: SparseFFN, tokens: int) -> bool:
    """Whether the compiler drops all but two of every four activations."""
    ffn.prepare()
    return any(remark.name == "SparseProduct" for remark in winnow.lower(ffn.spec, "sm_90a", tokens=tokens).remarks)


def time_in_turns(candidates: dict[str, Callable[[], object]], repeat: int, device: str) -> dict[str, float]:
    """Median milliseconds of each; they take turns in random order, after half a second of load."""
    times: dict[str, list[float]] = {name: [] for name in candidates}

    def measure(run: Callable[[], object]) -> float:
        if device == "cpu":
            begin = time.perf_counter()
            run()
            return (time.perf_counter() - begin) * 1e3
        events = [torch.cuda.Event(enable_timing=True) for _ in range(2)]
        events[0].record()
        run()
        events[1].record()
        events[1].synchronize()
        return float(events[0].elapsed_time(events[1]))

    for run in candidates.values():  # compiles
        run()
        run()
    until = time.perf_counter() + (0.5 if device != "cpu" else 0)
    while time.perf_counter() < until:
        for run in candidates.values():
            measure(run)
    for _ in range(repeat):
        for name in random.sample(list(candidates), len(candidates)):
            times[name].append(measure(candidates[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in (
        ("hidden", 4096),
        ("intermediate", 16384),
        ("heads", 32),
        ("kv-heads", 8),
        ("layers", 4),
        ("vocab", 1024),
        ("tokens", 4096),
        ("new-tokens", 8),
        ("repeat", 20),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--density", type=float, default=0.1, help="of the activations, default 0.1")
    parser.add_argument("--device", default="cuda", help="cuda or cpu; default cuda")
    parser.add_argument("--compile", action="store_true", help="time the models under torch.compile, too")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    return parser.parse_args()


def main() -> int:
    options = parse()
    torch.manual_seed(0)
    with torch.inference_mode():
        before = build(options)
        thin_out(before, options.density)
        after = copy.deepcopy(before)
        print(convert(after, density=options.density))
        ids = torch.randint(2, options.vocab, (1, options.tokens), device=options.device)
        results, good = check(before, after, ids)
        for block in results["blocks"]:
            print("block {block}: density {density:.3f}, error {error:.4f}, at most {bound:.4f}".format(**block))
        print("logits: error {error:.4f}, at most {bound:.4f}".format(**results["logits"]))
        made = after.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.new_tokens, do_sample=False
        )
        print("generated:", *made[0, options.tokens :].tolist())
        models = {"two linears": before, "winnow": after}
        if options.compile:
            models |= {f"{name}, torch.compile": torch.compile(model) for name, model in models.items()}
        results["prefill_ms"] = time_in_turns(
            {name: lambda model=model: model(ids, use_cache=False, logits_to_keep=1) for name, model in models.items()},
            options.repeat,
            options.device,
        )
        x = torch.randn(options.tokens, options.hidden, device=options.device, dtype=torch.bfloat16)
        results["block_ms"] = time_in_turns(
            {name: lambda model=model: model.model.layers[0].mlp(x) for name, model in list(models.items())[:2]},
            options.repeat,
            options.device,
        )
    for what in ("prefill_ms", "block_ms"):
        for name, milliseconds in results[what].items():
            print(f"{what.removesuffix('_ms')} of {options.tokens} tokens, {name}: {milliseconds:.3f} ms")
    if options.device != "cpu":
        results["device"] = torch.cuda.get_device_name()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"options": vars(options), **results}, file, indent=1)
    if not good:
        print("error: the converted model differs from the bf16 model by more than its quantisation", file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
