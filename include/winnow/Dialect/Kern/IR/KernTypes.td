//===- KernTypes.td - buffers -------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_IR_KERNTYPES_TD
#define WINNOW_DIALECT_KERN_IR_KERNTYPES_TD

include "mlir/IR/AttrTypeBase.td"
include "winnow/Dialect/Kern/IR/KernAttrs.td"

def Kern_BufferType : TypeDef<Kern_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "device memory that holds a tensor";
  let description = [{
    Shape and element type are logical; `layout` says how the elements lie (absent: row-major). i1 elements take a byte.

    Constraints: (KB1) the element type is f32, bf16, f16, f8E4M3FN, f8E5M2, i1, i8 or i32. (KB2) static extents lie in
    [1, 2^31 - 1]. (KB3) the layout is one of the kern dialect. (KB4) `transposed` and `packed24` need rank 2. (KB5)
    `packed24` needs an f8 or 16-bit floating-point type and a static extent along its axis that is a multiple of 4.

    Example: `!kern.buffer<?x28672xf8E4M3FN, #kern.packed24<axis = 1, panel = 256>>`
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType,
                        OptionalParameter<"::mlir::Attribute">:$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isPacked24() const;
    bool isTransposed() const;
  }];
}

#endif // WINNOW_DIALECT_KERN_IR_KERNTYPES_TD
