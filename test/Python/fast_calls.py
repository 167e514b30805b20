"""Calls through DLPack's C functions, with torch's arrays of the host and the driver of quiet_driver.c, which is named
on the command line. Prints what it has found as JSON. A process of its own, since the driver would be everybody's."""

import ctypes
import json
import statistics
import sys
import time

import torch
import winnow
import winnow.torch
from winnow import _winnow
from winnow._device import _Workspace

COPY = """func.func @f(%a: tensor<?x4xf32>, %b: tensor<8xbf16>) -> (tensor<?x4xf32>, tensor<8xbf16>) {
  return %a, %b : tensor<?x4xf32>, tensor<8xbf16>
}
"""
HOST = 1  # DLDeviceType
TOKENS = 64
found = {}


def compiled(text):
    """Before the driver is there: NVRTC would ask it for what it has not."""
    ffn = winnow.compile(text, target="sm_90a")
    ffn.artifact  # noqa: B018 (kept from here on)
    return ffn


def on_the_host(ffn, tokens):
    """As after a first call, with memory of the host taken for the device's. Returns its executable."""
    executable = _winnow.Executable(ffn.artifact, 0, HOST)
    kept, size = _Workspace(), max(executable.workspace_bytes(tokens), 1)
    memory = torch.zeros(size + 256, dtype=torch.uint8)
    kept.address, kept.bytes = -(-memory.data_ptr() // 256) * 256, size
    kept._pieces.append(memory)
    ffn._latest, ffn._executables[0], ffn._workspaces[0, 0] = (0, executable), executable, kept
    return executable


def check_copies(ffn, launches):
    executable = on_the_host(ffn, 16)
    a, b = torch.arange(12.0).view(3, 4), torch.arange(8).bfloat16()
    first, second = ffn(a, b)
    found["allocated"] = [torch.equal(first, a), torch.equal(second, b), list(first.shape), str(second.dtype)]
    out = torch.zeros(3, 4), torch.zeros(8, dtype=torch.bfloat16)
    result = ffn(a, b, out=list(out))
    found["given"] = [result[0] is out[0], result[1] is out[1], torch.equal(out[0], a), torch.equal(out[1], b)]
    with torch.no_grad():
        found["parameter"] = torch.equal(ffn(torch.nn.Parameter(a), b)[0], a)
    offset = torch.arange(16.0)[4:].view(3, 4)
    found["offset"] = torch.equal(ffn(offset, b)[0], offset)

    def refused(*arrays, out=None, stream=0, workspace=None, room=1 << 20):
        launches.value = 0
        start = ffn._workspaces[0, 0].address
        result = executable.call(arrays, out, stream, workspace, start, room)
        return result is None and launches.value == 0

    class NotDense:
        requires_grad = False

    found["refused"] = {
        "too few": refused(a),
        "element type": refused(a.double(), b),
        "rank": refused(a.view(-1), b),
        "shape": refused(torch.zeros(3, 5), b),
        "no tokens": refused(torch.zeros(0, 4), b),
        "strides": refused(torch.zeros(4, 3).t(), b),
        "alignment": refused(torch.zeros(13)[1:].view(3, 4), b),
        "gradients": refused(a.clone().requires_grad_(), b),
        "numpy": refused(a.numpy(), b),
        "no array": refused(NotDense(), b),
        "sparse": refused(a.to_sparse(), b),
        "other stream": refused(a, b, stream=5),
        "out: count": refused(a, b, out=[out[0]]),
        "out: one of two": refused(a, b, out=out[0]),
        "out: shape": refused(a, b, out=[torch.zeros(4, 4), out[1]]),
        "out: gradients": refused(a, b, out=[torch.zeros(3, 4, requires_grad=True), out[1]]),
        "workspace: none": refused(a, b, room=-1),
        "workspace: numpy": refused(a, b, workspace=a.numpy()),
        "workspace: strides": refused(a, b, workspace=torch.zeros(64, 64)[:, ::2]),
    }


def check_recorded(ffn, launches):
    """The stand-in's graphs hold nothing: what is recorded are the launches, which it counts as they are captured."""
    executable = on_the_host(ffn, TOKENS)
    x = torch.zeros(TOKENS, 512, dtype=torch.bfloat16)
    kept = ffn._workspaces[0, 0]
    launches.value = 0
    call = executable.record(TOKENS, [x.data_ptr()] * (len(ffn.inputs) + 1), kept.address, kept.bytes)
    found["recorded"] = [launches.value, call.launch(0)]
    try:
        executable.record(TOKENS, [x.data_ptr()] * len(ffn.inputs), kept.address, kept.bytes)
    except winnow.Error as error:
        found["recorded, wrong"] = str(error)
    found["microseconds"]["recorded"] = best(lambda: call.launch(0))


def best(call):
    """Microseconds per call, in the quietest of many stretches."""
    stretches = []
    for _ in range(40):
        begin = time.perf_counter()
        for _ in range(300):
            call()
        stretches.append((time.perf_counter() - begin) / 300 * 1e6)
    return {"best": min(stretches), "median": statistics.median(stretches)}


def time_calls(ffn):
    executable = on_the_host(ffn, TOKENS)
    inputs = [
        torch.zeros([TOKENS if extent < 0 else extent for extent in a.shape], dtype=getattr(torch, a.element))
        for a in ffn.inputs
    ]
    out = torch.zeros(TOKENS, 512, dtype=torch.bfloat16)
    addresses = [tensor.data_ptr() for tensor in [*inputs, out]]
    kept = ffn._workspaces[0, 0]
    found["microseconds"] = {
        "loop": best(lambda: None),
        "c": best(lambda: executable.execute(0, TOKENS, addresses, kept.address, kept.bytes)),
        "python": best(lambda: ffn(*inputs, out=out)),
        "python, allocating": best(lambda: ffn(*inputs)),
    }


class Allocations:
    """In place of torch's caching allocator: one piece of memory, and how often it was given out and given back."""

    def __init__(self, size):
        self.memory = torch.zeros(size + 256, dtype=torch.uint8)
        self.taken = self.returned = 0

    def take(self, size, stream):
        self.taken += 1
        return -(-self.memory.data_ptr() // 256) * 256

    def give_back(self, address):
        self.returned += 1


def check_torch(block, forward, launches):
    """The operators' way of calling again, on the host's memory: what of torch only CUDA builds have is replaced."""
    program = winnow.torch._program.find_program(block._program)
    executable = on_the_host(forward, TOKENS)
    size = executable.workspace_bytes(TOKENS)
    allocations = Allocations(size)
    torch._C._cuda_getDevice = lambda: -1
    torch._C._cuda_getCurrentRawStream = lambda index: 0
    torch._C._cuda_cudaCachingAllocator_raw_alloc = allocations.take
    torch._C._cuda_cudaCachingAllocator_raw_delete = allocations.give_back
    up, down = block.up_proj.weight, block.down_proj.weight
    weights = winnow.torch._ops.program_weights(program, up, down, None)

    def again(x, weights=weights):
        launches.value = 0
        result = program.again(x, weights, 0)
        return None if result is None else (list(result.shape), launches.value)

    x = torch.zeros(TOKENS, 512, dtype=torch.bfloat16)
    batch = torch.zeros(4, TOKENS // 4, 512, dtype=torch.bfloat16)
    found["torch, before"] = again(x)
    for first in (x, batch):
        program._remember(first, executable, size, 0)
    found["torch, again"] = [again(x), again(batch)]
    found["torch, refused"] = {
        "other shape": again(torch.zeros(8, 512, dtype=torch.bfloat16)),
        "other type": again(x.half()),
        "rows apart": again(torch.zeros(TOKENS, 1024, dtype=torch.bfloat16)[:, ::2]),
        "rows apart, batch": again(torch.zeros(TOKENS // 4, 4, 512, dtype=torch.bfloat16).transpose(0, 1)),
        "too few weights": again(x, weights[:-1]),
        "other weights": again(x, weights[::-1]),
    }
    check_known_weights(program, block, x, batch, launches)
    found["torch, memory"] = allocations.taken - allocations.returned


def check_known_weights(program, block, x, batch, launches):
    """The same with weights that are known by what tells them from all others, and not looked at again."""
    up, down = block.up_proj.weight, block.down_proj.weight

    def serials():
        made = [winnow.torch._weights.known(w, torch.float8_e4m3fn) for w in (up, down)]
        return None if None in made else (*[entry.serial for entry in made], None, -1)

    key = serials()

    def known(x, key=key):
        launches.value = 0
        addresses = program.addresses.get(key)
        result = None if addresses is None else program.again(x, addresses, 0)
        return None if result is None else (list(result.shape), launches.value)

    weights = winnow.torch._ops.program_weights(program, up, down, None)
    found["torch, unknown"] = known(x)
    program.remember_weights(key, weights)
    found["torch, known"] = [known(x), known(batch)]
    program.remember_weights("too few", weights[:-1])
    found["torch, known, refused"] = {
        "other shape": known(torch.zeros(8, 512, dtype=torch.bfloat16)),
        "other type": known(x.half()),
        "rows apart": known(torch.zeros(TOKENS, 1024, dtype=torch.bfloat16)[:, ::2]),
        "other weights": known(x, (*key[:1], -1, *key[2:])),
        "too few weights": known(x, "too few"),
    }
    with torch.no_grad():
        up.add_(1)
    found["torch, changed weights"] = serials()


def main():
    torch.set_num_threads(1)
    copies, forward = compiled(COPY), compiled(winnow.ffn(512, 2048))
    block = winnow.torch.SparseFFN(512, 2048, param_dtype=torch.bfloat16)
    driver = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
    launches = ctypes.c_int.in_dll(driver, "launches")
    check_copies(copies, launches)
    time_calls(forward)
    check_recorded(forward, launches)
    check_torch(block, forward, launches)
    print(json.dumps(found))


main()
