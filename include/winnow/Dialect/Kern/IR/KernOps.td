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

    `names` holds one name per block argument, for messages and for callers that bind buffers by name; `weights` lists the
    inputs whose contents stay the same from call to call; `output_stages` says for each output which result of which
    `ffn.kernel` it holds (two numbers each, see `kern.alloc`).
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

    `stage` = [k, r]: the buffer holds result r of `ffn.kernel` k of the function, counted in order from 0; absent: of none.
  }];
  let arguments = (ins OptionalAttr<DenseI64ArrayAttr>:$stage);
  let results = (outs Res<Kern_BufferType, "", [MemAlloc]>:$buffer);
  let assemblyFormat = "attr-dict `:` qualified(type($buffer))";
}

def Kern_ConstantOp : Kern_Op<"constant", [Pure]> {
  let summary = "a buffer that the plan carries with its contents";
  let description = [{
    Copied to the device once, when the plan is loaded; only read after that.

    Example: `%s = kern.constant dense<2.5e-1> : tensor<f32> as !kern.buffer<f32>`
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Kern_BufferType:$buffer);
  let assemblyFormat = "$value attr-dict `as` qualified(type($buffer))";
}

def Kern_CopyOp : Kern_Op<"copy", [AllTypesMatch<["source", "target"]>]> {
  let summary = "copy one buffer to another of the same type";
  let description = [{
    What is left of a function that returns one of its arguments, a constant, or one value twice.

    Example: `kern.copy %x to %out : !kern.buffer<?x64xbf16>`
  }];
  let arguments = (ins Kern_BufferType:$source, Kern_BufferType:$target);
  let assemblyFormat = "$source `to` $target attr-dict `:` qualified(type($target))";
}

def Kern_FillZeroOp : Kern_Op<"fill_zero"> {
  let summary = "set every byte of a buffer to zero";
  let arguments = (ins Arg<Kern_BufferType, "", [MemWrite]>:$buffer);
  let assemblyFormat = "$buffer attr-dict `:` qualified(type($buffer))";
}

def Kern_LaunchOp : Kern_Op<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "launch a kernel on buffers";
  let description = [{
    Operands in the order that the kernel operation documents.

    Example: `kern.launch @gemm2(%packed, %w2, %s, %s2, %out) : !kern.buffer<…>, …`
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel,
                       Arg<Variadic<Kern_BufferType>, "", [MemRead, MemWrite]>:$buffers);
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

    Launch operands: lhs, rhs, [lhs_scale], [rhs_scale], [out_scale], out; a scale is present where its type is. A scale of
    rank 0 speaks of the whole operand; of rank 1, of the rows of A or the columns of B. `out_granularity` (tensor, row or
    column) says it for `out_scale`, where the rank alone would not.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kern_BufferType>:$lhs, TypeAttrOf<Kern_BufferType>:$rhs,
                       TypeAttrOf<Kern_BufferType>:$out,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$lhs_scale, OptionalAttr<TypeAttrOf<Kern_BufferType>>:$rhs_scale,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$out_scale, OptionalAttr<StrAttr>:$out_granularity,
                       UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
                       OptionalAttr<Kern_ScheduleAttr>:$schedule);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $epilogue";
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

    With `scale_only` there is one output, the f32 dynamic scale for `scale_element`.

    Launch operands: input, [scale: given or dynamic], outputs in order, [counter: zeroed i32 buffer, with scale_only].
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Kern_BufferType>:$input, DenseI64ArrayAttr:$select,
                       OptionalAttr<TypeAttrOf<Kern_BufferType>>:$scale,
                       StrAttr:$granularity, StrAttr:$scale_mode, OptionalAttr<TypeAttr>:$scale_element,
                       TypeArrayAttr:$outputs, OptionalAttr<Kern_ScheduleAttr>:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Kern_YieldOp : Kern_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "value of an element-wise region";
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif // WINNOW_DIALECT_KERN_IR_KERNOPS_TD
