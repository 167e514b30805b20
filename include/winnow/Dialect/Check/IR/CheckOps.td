//===- CheckOps.td - expectations in tests ------------------------------------------------------------------------===//
//
// For tests only: linked into winnow-opt and winnow-translate, never into the product.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_CHECK_IR_CHECKOPS_TD
#define WINNOW_DIALECT_CHECK_IR_CHECKOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Check_Dialect : Dialect {
  let name = "check";
  let cppNamespace = "::winnow::check";
  let summary = "inputs and expectations of tests, evaluated by winnow-translate --interpret";
}

class Check_Op<string mnemonic, list<Trait> traits = []> : Op<Check_Dialect, mnemonic, traits>;

def Check_ExpectEqOp : Check_Op<"expect_eq"> {
  let summary = "fails unless two tensors are equal bit for bit";
  let description = [{
    Every NaN equals every NaN; +0.0 and -0.0 differ. Shape and element type must agree, of compressed tensors the axis and
    the kept positions too.

    Example: `check.expect_eq %actual, %expected : tensor<2x4xf32>, tensor<2x4xf32>`
  }];
  let arguments = (ins AnyType:$actual, AnyType:$expected);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual) `,` type($expected)";
}

def Check_ExpectCloseOp : Check_Op<"expect_close"> {
  let summary = "fails unless two tensors agree within a relative error";
  let description = [{
    The error is the norm of the difference over the norm of the expectation, in f64; NaNs must stand at the same places.

    Example: `check.expect_close %actual, %expected {max_relative = 1.0e-3 : f64} : tensor<4xf32>, tensor<4xf32>`
  }];
  let arguments = (ins AnyType:$actual, AnyType:$expected, F64Attr:$max_relative);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual) `,` type($expected)";
}

def Check_RandomOp : Check_Op<"random"> {
  let summary = "a tensor drawn from a seed";
  let description = [{
    What include/winnow/Interpreter/RandomInputs.h draws for an argument of this type: `exact` for small integers,
    `special_rows` for rows of zeros, NaN, infinity and tiny values. A dynamic extent becomes `tokens`.

    Example: `%x = check.random {seed = 7 : i64, special_rows} : tensor<8x64xbf16>`
  }];
  let arguments = (ins I64Attr:$seed, DefaultValuedAttr<I64Attr, "1">:$tokens, UnitAttr:$exact, UnitAttr:$special_rows);
  let results = (outs AnyType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

#endif // WINNOW_DIALECT_CHECK_IR_CHECKOPS_TD
