"""Models and batches for the command: from local files, or from a function of the user's."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def load_model(source: str, dtype: str, device: str) -> tuple[nn.Module, Iterable[Any] | None]:
    """The model, on the device and in evaluation mode, and the batches that came with it, if any.

    source: a folder of a Hugging Face model, or MODULE:FUNCTION, which is called without arguments and returns a model
        or a pair of model and batches. dtype: "auto" leaves the model as it is stored.

    Raises ValueError where there is neither, and ImportError without transformers.
    """
    batches = None
    if os.path.isdir(source):
        model = _load_folder(source, dtype)
    elif ":" in source:
        made = _call(source)
        model, batches = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
        if not isinstance(model, nn.Module):
            raise ValueError(f"{source}: expected a torch.nn.Module or a pair of one and batches, got {type(model)!r}")
    else:
        raise ValueError(f"{source}: expected a folder with a model, or MODULE:FUNCTION")
    if dtype != "auto":
        model = model.to(getattr(torch, dtype))
    return model.to(device).eval(), batches


def _load_folder(folder: str, dtype: str) -> nn.Module:
    try:
        import transformers
    except ImportError as error:
        raise ImportError("loading a model from a folder needs transformers: pip install transformers") from error
    if not os.path.isfile(os.path.join(folder, "config.json")):
        raise ValueError(f"{folder}: expected a Hugging Face model, found no config.json")
    chosen: Any = dtype if dtype == "auto" else getattr(torch, dtype)
    key = "dtype" if int(transformers.__version__.partition(".")[0]) >= 5 else "torch_dtype"
    try:
        return transformers.AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, **{key: chosen})
    except Exception as error:  # of any kind: damaged files have kinds of their own
        raise ValueError(f"{folder}: the model cannot be loaded: {type(error).__name__}: {error}") from error


def _call(source: str) -> Any:
    module_name, _, function_name = source.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.partition(".")[0] and error.name != module_name:
            raise
        raise ValueError(f"{source}: found no module {module_name!r} here or among the installed ones") from None
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ValueError(f"{source}: the module {module_name!r} has no function {function_name!r}")
    return function()


def load_data(data: str, model: nn.Module, tokenizer: str, tokens: int, sequence: int, seed: int) -> list[Tensor]:
    """Rows for a model, (sequence,) int64 token ids or (sequence, …) floats, of at most so many tokens in all.

    data: "random" for uniformly random ids; a .npy file of ids, (tokens,) or (rows, sequence), or of floats, (rows,
        sequence, d_model); or a text file in UTF-8, cut into tokens by the tokenizer in the folder `tokenizer`.

    Raises ValueError or OSError where the data are something else.
    """
    if data == "random":
        limit = _vocabulary(model)
        ids = torch.randint(0, limit, (tokens,), generator=torch.Generator().manual_seed(seed))
    elif data.endswith(".npy"):
        array = np.load(data, allow_pickle=False)
        if array.dtype.kind not in "iuf" or array.ndim == 0 or (array.dtype.kind == "f" and array.ndim < 3):
            raise ValueError(
                f"{data}: expected integers (tokens,) or (rows, sequence), or floats (rows, sequence, d_model), got "
                f"{array.dtype} {array.shape}"
            )
        if array.ndim > 1:
            if array.dtype.kind != "f":
                _check_ids(data, array, model)
            rows = array[: max(1, tokens // max(1, array.shape[1]))]
            parameter = next((p for p in model.parameters() if p.is_floating_point()), None)
            floats = torch.float32 if parameter is None else parameter.dtype
            return [torch.from_numpy(row).to(floats if array.dtype.kind == "f" else torch.int64) for row in rows]
        _check_ids(data, array, model)
        ids = torch.from_numpy(array[:tokens].astype(np.int64))
    else:
        ids = _tokenize(data, tokenizer)[:tokens]
    if len(ids) == 0:
        raise ValueError(f"{data}: there are no tokens in it")
    return list(ids.split(sequence))


def _vocabulary(model: nn.Module) -> int:
    embedding = next((part for part in model.modules() if isinstance(part, nn.Embedding)), None)
    if embedding is None:
        raise ValueError(
            "--data random: the model has no nn.Embedding, so that it takes no token ids; give a .npy file"
        )
    return embedding.num_embeddings


def _check_ids(data: str, ids: np.ndarray[Any, Any], model: nn.Module) -> None:
    limit = _vocabulary(model)
    if ids.size and not 0 <= ids.min() <= ids.max() < limit:
        raise ValueError(f"{data}: expected token ids from 0 to {limit - 1}, got {ids.min()} to {ids.max()}")


def _tokenize(path: str, folder: str) -> Tensor:
    with open(path, encoding="utf-8") as file:
        try:
            text = file.read()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: expected text in UTF-8: {error}") from None
    if not os.path.isdir(folder):
        raise ValueError(f"{path}: cutting text into tokens needs --tokenizer FOLDER")
    try:
        import transformers
    except ImportError as error:
        raise ImportError("cutting text into tokens needs transformers: pip install transformers") from error
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return torch.tensor(tokenizer(text, verbose=False)["input_ids"], dtype=torch.int64)


def batched(rows: list[Tensor], size: int, model: nn.Module) -> Iterator[dict[str, Any] | Tensor]:
    """At most `size` rows of equal length at a time, as the model takes them."""
    accepted = inspect.signature(model.forward).parameters
    # No logits but the last, no keys and values: they take memory and are not looked at.
    extra = {key: value for key, value in (("logits_to_keep", 1), ("use_cache", False)) if key in accepted}
    start = 0
    while start < len(rows):
        end = start + 1
        while end < min(start + size, len(rows)) and rows[end].shape == rows[start].shape:
            end += 1
        batch = torch.stack(rows[start:end])
        yield {"input_ids": batch, **extra} if "input_ids" in accepted else batch
        start = end
