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
