// RUN: winnow-opt %s -split-input-file -verify-diagnostics

// A1: density in [0, 1].
// expected-error @+1 {{density expects a number in [0, 1], got 1.5}}
func.func private @density(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 1.5>})

// -----

// A1: below.
// expected-error @+1 {{density expects a number in [0, 1], got -0.1}}
func.func private @density_below(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = -0.1>})

// -----

// A2: max_drop in [0, 1].
// expected-error @+1 {{max_drop expects a number in [0, 1], got 2}}
func.func private @max_drop(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.1, max_drop = 2.0>})

// -----

// A3: every density of the profile in [0, 1].
// expected-error @+1 {{sparsity profile expects numbers in [0, 1], got -1 for feature 2}}
func.func private @profile(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.1, profile = [0.0, 0.5, -1.0, 0.1]>})

// -----

// A4: as many densities as features.
// expected-error @+1 {{'func.func' op argument 0: sparsity profile expects one density per feature (4), got 3}}
func.func @profile_length(%x: tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.1, profile = [0.0, 0.5, 0.1]>}) {
  return
}

// -----

// A5: on a matrix of floating-point numbers.
// expected-error @+1 {{'func.func' op argument 0: 'ffn.sparsity' expects a matrix of floating-point numbers, got 'tensor<4xf32>'}}
func.func @vector(%x: tensor<4xf32> {ffn.sparsity = #ffn.sparsity<density = 0.1>}) {
  return
}

// -----

// A5: which result is meant must be clear.
func.func @ambiguous(%x: tensor<8x64xbf16>) -> (tensor<8x64xbf16>, tensor<8x64xbf16>) {
  // expected-error @+1 {{'ffn.kernel' op 'ffn.sparsity' expects an operation with one matrix of floating-point numbers among its results, got 2}}
  %0:2 = ffn.kernel(%x) {ffn.sparsity = #ffn.sparsity<density = 0.1>} : (tensor<8x64xbf16>) -> (tensor<8x64xbf16>, tensor<8x64xbf16>) {
  ^bb0(%a: tensor<8x64xbf16>):
    ffn.yield %a, %a : tensor<8x64xbf16>, tensor<8x64xbf16>
  }
  return %0#0, %0#1 : tensor<8x64xbf16>, tensor<8x64xbf16>
}

// -----

// A5: the attribute is a #ffn.sparsity.
func.func @wrong_kind(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.relu' op 'ffn.sparsity' expects a #ffn.sparsity attribute, got 1.000000e-01 : f64}}
  %0 = ffn.relu %x {ffn.sparsity = 0.1} : tensor<8x64xbf16> -> tensor<8x64xbf16>
  return %0 : tensor<8x64xbf16>
}

// -----

// expected-error @+1 {{#ffn.sparsity expects a density}}
func.func private @no_density(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<max_drop = 0.5>})

// -----

// expected-error @+1 {{'density' is given twice}}
func.func private @twice(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, density = 0.5>})

// -----

// expected-error @+1 {{'profile' is given twice}}
func.func private @profile_twice(tensor<?x1xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, profile = [0.5], profile = [0.5]>})

// -----

// expected-error @+1 {{profile expects a list of numbers or a dense tensor of them of rank 1, got attribute dense<5.000000e-01> : tensor<1x4xf32>}}
func.func private @profile_of_rank_2(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, profile = dense<0.5> : tensor<1x4xf32>>})

// -----

// expected-error @+1 {{profile expects a list of numbers or a dense tensor of them of rank 1, got attribute dense<1> : tensor<4xi8>}}
func.func private @profile_of_integers(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, profile = dense<1> : tensor<4xi8>>})

// -----

// A3 holds for profiles of either form.
// expected-error @+1 {{sparsity profile expects numbers in [0, 1], got 1.5 for feature 0}}
func.func private @dense_profile_outside(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, profile = dense<1.5> : tensor<4xf32>>})

// -----

// A profile whose bytes were left out when it was printed is none.
// expected-error @+1 {{profile expects a list of numbers or a dense tensor of them of rank 1, got attribute dense_resource<__elided__> : tensor<4xf32>}}
func.func private @profile_left_out(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, profile = dense_resource<__elided__> : tensor<4xf32>>})

// -----

// expected-error @+1 {{expected 'density', 'max_drop' or 'profile', got 'drop'}}
func.func private @unknown_field(tensor<?x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5, drop = 0.5>})

// -----

// L1: a layout is recorded on a matrix product.
func.func @layout_elsewhere(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.relu' op 'ffn.layout' expects an ffn.matmul}}
  %0 = ffn.relu %x {ffn.layout = #ffn.layout<dense>} : tensor<8x64xbf16> -> tensor<8x64xbf16>
  return %0 : tensor<8x64xbf16>
}

// -----

// L1: as a #ffn.layout.
func.func @layout_kind(%x: tensor<8x64xbf16>, %w: tensor<64x8xbf16>) -> tensor<8x8xf32> {
  // expected-error @+1 {{'ffn.matmul' op 'ffn.layout' expects a #ffn.layout attribute, got "dense"}}
  %0 = ffn.matmul %x, %w {ffn.layout = "dense"} : (tensor<8x64xbf16>, tensor<64x8xbf16>) -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}

// -----

// W1: ffn.weight is a unit attribute.
// expected-error @+1 {{'func.func' op argument 0: 'ffn.weight' expects a unit attribute, got true}}
func.func @weight_kind(%w: tensor<4x4xbf16> {ffn.weight = true}) {
  return
}

// -----

// W2: the shape of a weight does not depend on the token count.
// expected-error @+1 {{'func.func' op argument 0: 'ffn.weight' expects a tensor of static shape, got 'tensor<?x4xbf16>'}}
func.func @weight_shape(%w: tensor<?x4xbf16> {ffn.weight}) {
  return
}

// -----

// expected-error @+1 {{'func.func' op argument 0: unknown attribute 'ffn.wight' of the ffn dialect}}
func.func @unknown_on_argument(%w: tensor<4x4xbf16> {ffn.wight}) {
  return
}

// -----

// expected-error @+1 {{'func.func' op result 0: 'ffn.sparsity' does not belong on a function result}}
func.func @on_result(%x: tensor<4x4xbf16>) -> (tensor<4x4xbf16> {ffn.sparsity = #ffn.sparsity<density = 0.5>}) {
  return %x : tensor<4x4xbf16>
}

// -----

func.func @unknown_on_operation(%x: tensor<8x64xbf16>) -> tensor<8x64xbf16> {
  // expected-error @+1 {{'ffn.relu' op unknown attribute 'ffn.sparse' of the ffn dialect}}
  %0 = ffn.relu %x {ffn.sparse} : tensor<8x64xbf16> -> tensor<8x64xbf16>
  return %0 : tensor<8x64xbf16>
}
