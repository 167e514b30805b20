"""Our declarations of XLA's foreign function interface against the header that comes with jaxlib."""

import pathlib
import re
import shutil
import subprocess

import pytest

jax_ffi = pytest.importorskip("jax.ffi")

SOURCES = pathlib.Path(__file__).parents[2] / "python-bindings" / "src"

# Ours, XLA's, and pairs of fields.
STRUCTURES = {
    ("Extension", "XlaExtension"): "structSize=struct_size kind=type next=next",
    ("ApiVersion", "XLA_FFI_Api_Version"): "structSize=struct_size extension=extension_start "
    "majorVersion=major_version minorVersion=minor_version",
    ("Metadata", "XLA_FFI_Metadata"): "structSize=struct_size version=api_version traits=traits "
    "stateType=state_type_id",
    ("MetadataExtension", "XLA_FFI_Metadata_Extension"): "base=extension_base metadata=metadata",
    ("Buffer", "XLA_FFI_Buffer"): "structSize=struct_size extension=extension_start element=dtype data=data rank=rank "
    "shape=dims",
    ("Buffers", "XLA_FFI_Args"): "structSize=struct_size extension=extension_start size=size kinds=types values=args",
    ("Buffers", "XLA_FFI_Rets"): "structSize=struct_size extension=extension_start size=size kinds=types values=rets",
    ("ByteSpan", "XLA_FFI_ByteSpan"): "data=ptr size=len",
    ("Attributes", "XLA_FFI_Attrs"): "structSize=struct_size extension=extension_start size=size kinds=types "
    "names=names values=attrs",
    ("ErrorArguments", "XLA_FFI_Error_Create_Args"): "structSize=struct_size extension=extension_start "
    "message=message code=errc",
    ("StreamArguments", "XLA_FFI_Stream_Get_Args"): "structSize=struct_size extension=extension_start context=ctx "
    "stream=stream",
    ("DeviceArguments", "XLA_FFI_DeviceOrdinal_Get_Args"): "structSize=struct_size extension=extension_start "
    "context=ctx ordinal=device_ordinal",
    ("CallFrame", "XLA_FFI_CallFrame"): "structSize=struct_size extension=extension_start api=api context=ctx "
    "stage=stage arguments=args results=rets attributes=attrs future=future",
}
# Structures that may have grown since: fields alone.
GROWN = {
    ("Api", "XLA_FFI_Api"): "structSize=struct_size extension=extension_start version=api_version "
    "internal=internal_api createError=XLA_FFI_Error_Create getStream=XLA_FFI_Stream_Get "
    "getDeviceOrdinal=XLA_FFI_DeviceOrdinal_Get",
}
VALUES = {
    "int(ExtensionKind::metadata)": "XLA_FFI_Extension_Metadata",
    "kMajorVersion": "XLA_FFI_API_MAJOR",
    "kCommandBufferCompatible": "XLA_FFI_HANDLER_TRAITS_COMMAND_BUFFER_COMPATIBLE",
    "kBufferArgument": "XLA_FFI_ArgType_BUFFER",
    "kBufferArgument ": "XLA_FFI_RetType_BUFFER",
    "kStringAttribute": "XLA_FFI_AttrType_STRING",
    "int(Stage::instantiate)": "XLA_FFI_ExecutionStage_INSTANTIATE",
    "int(Stage::prepare)": "XLA_FFI_ExecutionStage_PREPARE",
    "int(Stage::initialize)": "XLA_FFI_ExecutionStage_INITIALIZE",
    "int(Stage::execute)": "XLA_FFI_ExecutionStage_EXECUTE",
    "int(ErrorCode::failedPrecondition)": "XLA_FFI_Error_Code_FAILED_PRECONDITION",
    "int(ErrorCode::internal)": "XLA_FFI_Error_Code_INTERNAL",
    **{
        f"int(ElementType::{name})": f"XLA_FFI_DataType_{name.upper()}"
        for name in ("pred", "s32", "u8", "f16", "f32", "bf16", "f8e5m2", "f8e4m3fn")
    },
}


def program():
    lines = ['#include "XlaFfi.h"', '#include "xla/ffi/api/c_api.h"', "using namespace winnow::xla;"]
    lines.append("using XlaExtension = decltype(XLA_FFI_Metadata_Extension::extension_base);")  # renamed in 0.4
    lines.append("static_assert(kMinorVersion <= XLA_FFI_API_MINOR);")
    for (ours, theirs), pairs in {**STRUCTURES, **GROWN}.items():
        if (ours, theirs) in STRUCTURES:
            lines.append(f'static_assert(sizeof({ours}) == sizeof({theirs}), "{ours}");')
        for pair in pairs.split():
            our, their = pair.split("=")
            lines.append(f'static_assert(offsetof({ours}, {our}) == offsetof({theirs}, {their}), "{ours}.{our}");')
            lines.append(f'static_assert(sizeof({ours}::{our}) == sizeof({theirs}::{their}), "{ours}.{our}");')
    lines += [f'static_assert({ours} == {theirs}, "{theirs}");' for ours, theirs in VALUES.items()]
    return "\n".join(lines)


def compile_with(source, folder):
    compiler = next(filter(None, map(shutil.which, ("clang++-22", "clang++", "g++"))), None)
    if compiler is None:
        pytest.skip("needs a C++ compiler")
    path = folder / "abi.cpp"
    path.write_text(source)
    includes = [f"-I{SOURCES}", f"-I{jax_ffi.include_dir()}"]
    command = [compiler, "-std=c++17", "-fsyntax-only", *includes, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_declarations_agree(tmp_path):
    result = compile_with(program(), tmp_path)
    assert result.returncode == 0, result.stderr[:4000]


def test_every_declared_structure_is_compared():
    declared = re.findall(r"^struct (\w+) \{", (SOURCES / "XlaFfi.h").read_text(), re.M)
    assert set(declared) == {ours for ours, _ in {**STRUCTURES, **GROWN}}


def test_a_difference_would_be_seen(tmp_path):
    wrong = program() + '\nstatic_assert(offsetof(Buffer, data) == offsetof(XLA_FFI_Buffer, rank), "moved");'
    result = compile_with(wrong, tmp_path)
    assert result.returncode != 0 and "moved" in result.stderr
