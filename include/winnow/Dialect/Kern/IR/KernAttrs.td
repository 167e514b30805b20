//===- KernAttrs.td - layouts and schedules -----------------------------------------------------------------------===//

#ifndef WINNOW_DIALECT_KERN_IR_KERNATTRS_TD
#define WINNOW_DIALECT_KERN_IR_KERNATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "winnow/Dialect/Kern/IR/KernDialect.td"

def Kern_RowMajorAttr : AttrDef<Kern_Dialect, "RowMajor"> {
  let mnemonic = "row_major";
  let summary = "element (r, c) at r * columns + c";
}

def Kern_TransposedAttr : AttrDef<Kern_Dialect, "Transposed"> {
  let mnemonic = "transposed";
  let summary = "element (r, c) at c * pitch + r";
  let description = [{
    pitch = rows rounded up to a multiple of 128; elements between rows and pitch are zero. The form an operand takes
    whose reduction axis is its rows (f8 tensor cores read only along the reduction axis).
  }];
}

def Kern_Packed24Attr : AttrDef<Kern_Dialect, "Packed24"> {
  let mnemonic = "packed24";
  let summary = "compressed 2:4 in the order in which the sparse GEMM reads it";
  let description = [{
    The matrix A (M x K; the buffer itself for axis 1, its transpose for axis 0) is cut into panels of `panel` rows (a
    multiple of 64) and slabs of 128 bytes of K before compression (128 elements of f8, 64 of a 16-bit type). Order:
    [M / panel][K / slab][panel / 64][block]; M and K are completed with zeros. A block of 64 rows is 4096 bytes of
    kept values, byte (r, c) at (c / 16) * 1024 + (r / 8) * 128 + (r % 8) * 16 + c % 16, c = 0..63 counting bytes of one
    row; then metadata, 512 bytes per 64 elements of K: docs/kernels.md, "Packed 2:4 blocks".
  }];
  let parameters = (ins "int64_t":$axis, "int64_t":$panel);
  let assemblyFormat = "`<` `axis` `=` $axis `,` `panel` `=` $panel `>`";
  let genVerifyDecl = 1;
}

def Kern_Family : I32EnumAttr<"Family", "which device code a kernel is built from", [
    I32EnumAttrCase<"Wgmma", 0, "wgmma">,   // gemm: TMA, mbarrier ring, warpgroup MMA; sm_90a
    I32EnumAttrCase<"Simt", 1, "simt">,     // gemm: plain f32 multiply-add; any shape, any target
    I32EnumAttrCase<"Row", 2, "row">,       // map: a CTA owns whole rows, so a row scale needs no second launch
    I32EnumAttrCase<"Patch", 3, "patch">]> { // map: a thread owns 4 x 4 elements, so both selection axes are at hand
  let cppNamespace = "::winnow::kern";
  let genSpecializedAttr = 0;
}

def Kern_ScheduleAttr : AttrDef<Kern_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "how a kernel is run";
  let description = [{
    - `family`: the device code;
    - `tile`: [M, N] elements of one CTA's output tile (gemm) or [rows, columns] of its input (map);
    - `warpgroups`: consumer warpgroups (wgmma), which share a tile: tile M / warpgroups rows each, a multiple of 64;
    - `stages`: depth of the shared-memory ring (wgmma);
    - `raster`: M-tiles per raster group: tiles are walked N-fastest inside a group of that many M-tiles;
    - `pacing`: slabs between two soft synchronisations of the whole grid; 0 is none. Keeps CTAs together so that they
      share what they read in L2. Needs the whole grid resident and a zeroed counter per chunk;
    - `split`: most parts along K into which each tile of an incomplete last wave may be cut, so that all CTAs have work;
      0 is none. Needs zeroed counters and memory for sums (docs/kernels.md, "The last wave");
    - `staged`: 1 if the result leaves through stages of the ring while the next tile is multiplied (docs/kernels.md,
      "Staged results");
    - `cluster`: CTAs of a cluster, which multiply tiles one below the other and fetch their columns of B together; 0 is
      none (docs/kernels.md, "Clusters");
    - `turns`: 1 if the warpgroups take tiles in turns instead of sharing each (docs/kernels.md, "Turns").

    Constraints: (KS1) tiles are positive (the columns of a `row` map, which takes whole rows, may be 0). (KS2) fields
    that a family does not use are 0. (KS3) with wgmma, `warpgroups`, `stages` and `raster` are positive, `pacing` and
    `split` are not negative, `staged` is 0 or 1, `cluster` is 0 or 2, `turns` is 0 or 1, and each warpgroup has a
    multiple of 64 rows of a tile. What else a chip demands is not checked here but by `kern-verify-emittable`.

    Example: `#kern.schedule<wgmma, tile = [256, 192], warpgroups = 2, stages = 5, raster = 8, pacing = 16>`
  }];
  let parameters = (ins EnumParameter<Kern_Family>:$family, "int64_t":$tileM, "int64_t":$tileN,
                        DefaultValuedParameter<"int64_t", "0">:$warpgroups,
                        DefaultValuedParameter<"int64_t", "0">:$stages,
                        DefaultValuedParameter<"int64_t", "0">:$raster, DefaultValuedParameter<"int64_t", "0">:$pacing,
                        DefaultValuedParameter<"int64_t", "0">:$split, DefaultValuedParameter<"int64_t", "0">:$staged,
                        DefaultValuedParameter<"int64_t", "0">:$cluster, DefaultValuedParameter<"int64_t", "0">:$turns);
  let assemblyFormat = [{
    `<` $family `,` `tile` `=` `[` $tileM `,` $tileN `]`
    (`,` struct($warpgroups, $stages, $raster, $pacing, $split, $staged, $cluster, $turns)^)? `>`
  }];
  let builders = [AttrBuilder<(ins "Family":$family, "int64_t":$tileM, "int64_t":$tileN), [{
    return $_get($_ctxt, family, tileM, tileN, 0, 0, 0, 0, 0, 0, 0, 0);
  }]>];
  let genVerifyDecl = 1;
}

#endif // WINNOW_DIALECT_KERN_IR_KERNATTRS_TD
