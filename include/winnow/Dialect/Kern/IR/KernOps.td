//===- KernOps.td - operations of the kern dialect ----------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_IR_KERNOPS_TD
#define WINNOW_DIALECT_KERN_IR_KERNOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "winnow/Dialect/Kern/IR/KernAttrs.td"
include "winnow/Dialect/Kern/IR/KernTypes.td"

class Kern_Op<string mnemonic, list<Trait> traits = []> : Op<Kern_Dialect, mnemonic, traits>;

//===--------------------------------------------------------------------------------------------------------------===//
// The program: buffers and launches
//===--------------------------------------------------------------------------------------------------------------===//

def Kern_ProgramOp : Kern_Op<"program", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "buffers and launches of one function";
  let description = [{
    The block arguments are the inputs, then the outputs, of the function it came from (`num_inputs` says where the
    outputs begin); the caller provides them. `kern.alloc` is workspace. Launches run in order on one stream.

    `names` holds one name per block argument, for messages and for callers that bind buffers by name; `weights` lists
    the inputs whose contents stay the same from call to call; `output_stages` says for each output which result of
    which `ffn.kernel` it holds (two numbers each, see `kern.alloc`).

    Constraints: (KP1) `num_inputs` is between 0 and the number of block arguments. (KP2) block arguments are buffers.
    (KP3) `names` has one name per block argument; `weights` are indices of inputs; `output_stages` has two numbers per
    output. (KP4) the body holds `kern.alloc`, `kern.constant`, `kern.copy`, `kern.fill_zero` and `kern.launch`, and
    ends in `kern.return`. (KP5) nothing writes an input or a constant.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$num_inputs, OptionalAttr<StrArrayAttr>:$names,
                       OptionalAttr<DenseI64ArrayAttr>:$weights, OptionalAttr<DenseI64ArrayAttr>:$output_stages);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Kern_AllocOp : Kern_Op<"alloc"> {
  let summary = "a workspace buffer";
  let description = [{
    Contents are undefined until something is launched on it. Two allocations are two buffers, of whatever type.

    `stage` = [k, r]: the buffer holds result r of `ffn.kernel` k of the function, counted in order from 0; absent: of
    none.

    Constraint (KA1): `stage` is two numbers, neither negative.
  }];
  let arguments = (ins OptionalAttr<DenseI64ArrayAttr>:$stage);
  let results = (outs Res<Kern_BufferType, "", [MemAlloc]>:$buffer);
  let assemblyFormat = "attr-dict `:` qualified(type($buffer))";
  let hasVerifier = 1;
}

def Kern_ConstantOp : Kern_Op<"constant", [Pure]> {
  let summary = "a buffer that the plan carries with its contents";
  let description = [{
    Copied to the device once, when the plan is loaded; only read after that.

    Constraint (KC1): the buffer is row-major and has the shape and element type of the value.

    Example: `%s = kern.constant dense<2.5e-1> : tensor<f32> as !kern.buffer<f32>`
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Kern_BufferType:$buffer);
  let assemblyFormat = "$value attr-dict `as` qualified(type($buffer))";
  let hasVerifier = 1;
}

def Kern_CopyOp : Kern_Op<"copy", [AllTypesMatch<["source", "target"]>]> {
  let summary = "copy one buffer to another of the same type";
  let description = [{
    What is left of a function that returns one of its arguments, a constant, or one value twice.

    Example: `kern.copy %x to %out : !kern.buffer<?x64xbf16>`
  }];
  let arguments = (ins Arg<Kern_BufferType, "", [MemRead]>:$source, Arg<Kern_BufferType, "", [MemWrite]>:$target);
  let assemblyFormat = "$source `to` $target attr-dict `:` qualified(type($target))";
  let hasVerifier = 1;
}

def Kern_FillZeroOp : Kern_Op<"fill_zero"> {
  let summary = "set every byte of a buffer to zero";
  let arguments = (ins Arg<Kern_BufferType, "", [MemWrite]>:$buffer);
  let assemblyFormat = "$buffer attr-dict `:` qualified(type($buffer))";
  let hasVerifier = 1;
}

def Kern_LaunchOp : Kern_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "launch a kernel on buffers";
  let description = [{
    Operands in the order that the kernel operation documents.

    `overlaps`: the launch may begin before the launches before it have ended; its kernel waits for them by itself
    (docs/kernels.md, "Launches that overlap").

    Constraints: (KL1) the symbol is a kern.gemm or kern.map. (KL2) there are as many operands as the kernel documents.
    (KL3) each has the type that the kernel names.

    Example: `kern.launch @gemm2(%packed, %w2, %s, %s2, %out) : !kern.buffer<…>, …`
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel,
                       Arg<Variadic<Kern_BufferType>, "", [MemRead, MemWrite]>:$buffers, UnitAttr:$overlaps);
  let assemblyFormat = "$kernel `(` $buffers `)` attr-dict `:` qualified(type($buffers))";
}

def Kern_ReturnOp : Kern_Op<"return", [Terminator, HasParent<"ProgramOp">]> {
  let summary = "end of a program";
  let assemblyFormat = "attr-dict";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Kernels
//===--------------------------------------------------------------------------------------------------------------===//

def Kern_GemmOp : Kern_Op<"gemm", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "matrix product with an element-wise epilogue";
  let description = [{
    D = epilogue(acc * (lhs_scale * rhs_scale)). `lhs` is the buffer type of A, `rhs` of B, `out` of D.

    A is M x K row-major, or `transposed` (buffer K x M), or `packed24`. B is N x K row-major (`transpose_rhs`, the way
    weights of a linear layer lie), or K x N row-major, or `transposed` (buffer K x N, K contiguous).

    The region maps one f32 (acc times scales) to one f32, rounding included (arith.truncf followed by arith.extf).
    D is then either
    - row-major: the value converted to the element type of `out` (which the region has already rounded to), or
    - packed24<axis = 1>: selected 2 of every 4 along N, multiplied by 1 / out_scale where that operand is present,
      converted with saturation and stored compressed.

    With `counts`, an i32 buffer of N elements that is zero before the launch, the kernel adds to element n of it how
    many rows have a value in column n that is not zero: the epilogue's value, before it is selected and scaled, as the
    region `counted` maps it, f32 to f32. -0.0 is zero, NaN is not.

    Launch operands: lhs, rhs, [lhs_scale], [rhs_scale], [out_scale], out, [counts]; a scale is present where its type
    is. A scale of rank 0 speaks of the whole operand; of rank 1, of the rows of A or the columns of B.
    `out_granularity` (tensor, row or column) says it for `out_scale`, where the rank alone would not.

    Constraints: (KG1) `lhs`, `rhs` and `out` have rank 2. (KG2) `lhs` is row-major, or `transposed` with
    `transpose_lhs`, or `packed24` along its reduction axis: 1 without `transpose_lhs`, 0 with it. (KG3) `rhs` is
    row-major, or `transposed` without `transpose_rhs`. (KG4) `out` is row-major or packed24<axis = 1>. (KG5) the
    extents agree. (KG6) `lhs` and `rhs` are both f8 or have one floating-point element type; so has `out` a
    floating-point one. (KG7) scales are row-major f32 buffers; a rank-1 `lhs_scale` has M elements, `rhs_scale` N.
    (KG8) `out_granularity` is there exactly where `out_scale` is, and its shape follows: none, M or N elements; `out`
    is then f8. (KG9) the schedule's family is wgmma or simt. (KG10) `counts` is a row-major i32 buffer of N elements,
    and the region `counted` is there exactly where it is. (KR) the region takes one f32 and holds arith and math
    operations and a `kern.yield`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kern_BufferType>:$lhs, TypeAttrOf<Kern_BufferType>:$rhs,
                       TypeAttrOf<Kern_BufferType>:$out,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$lhs_scale,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$rhs_scale,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$out_scale, OptionalAttr<StrAttr>:$out_granularity,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$counts,
                       UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
                       OptionalAttr<Kern_ScheduleAttr>:$schedule);
  let regions = (region SizedRegion<1>:$epilogue, AnyRegion:$counted);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $epilogue (`counted` $counted^)?";
  let hasVerifier = 1;
}

def Kern_MapOp : Kern_Op<"map", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "element-wise function, selection, quantisation, compression of one matrix";
  let description = [{
    In order, on a matrix X (`input`, row-major):
    1. y = region(x), f32 to f32, rounding included;
    2. for each axis of `select`, in order: keep the 2 largest of 4 along it among what is still kept;
    3. scale: `given` (a launch operand), `dynamic` (written to the scale operand; by row only with family `row`,
       otherwise `scale_only`), or none. r = 1 / s, v = y * r;
    4. store each of `outputs`: row-major, `transposed` or `packed24` values converted with saturation to the element
       type; a row-major i1 buffer is the mask of the last selection.

    With `scale_only` there is one output, the f32 dynamic scale for `scale_element`. With `count_only` there is one
    output, an i32 buffer that is zero before the launch: for every column, how many elements of the selected y are not
    zero.

    Launch operands: input, [scale: given or dynamic], outputs in order, [counter: zeroed i32 buffer of one element,
    with scale_only].

    Constraints: (KM1) `input` is row-major, of rank 2 and of a floating-point type. (KM2) `select` holds at most two
    axes, each 0 or 1. (KM3) `granularity` is tensor, row or column; `scale_mode` none, given, dynamic, scale_only
    or count_only.
    (KM4) `scale` is there exactly for given and dynamic; it is a row-major f32 buffer with no, rows or columns
    elements, by the granularity; dynamic is by row. (KM5) with scale_only the one output is such a buffer and
    `scale_element` is there and f8; otherwise it is absent. (KM6) there are one to three outputs, each of the shape of
    the input. (KM7) a mask output is row-major and needs a selection. (KM8) a packed24 output is along the axis of the
    last selection. (KM9) the schedule's family is row or patch. (KM10) with count_only the granularity is column and
    the one output a row-major i32 buffer with an element for each. (KR) as for kern.gemm.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kern_BufferType>:$input, DenseI64ArrayAttr:$select,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$scale,
                       StrAttr:$granularity, StrAttr:$scale_mode, OptionalAttr<TypeAttr>:$scale_element,
                       TypeArrayAttr:$outputs, OptionalAttr<Kern_ScheduleAttr>:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Kern_YieldOp : Kern_Op<"yield", [Pure, Terminator, ReturnLike, ParentOneOf<["GemmOp", "MapOp"]>]> {
  let summary = "value of an element-wise region";
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif // WINNOW_DIALECT_KERN_IR_KERNOPS_TD
