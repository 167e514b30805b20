//===- ChipTable.h - what the compiler knows of each target -------------------------------------------------------===//
//
// One row per chip. Everything that depends on the target is read from here, so that a new target is a new row. Knows
// nothing of MLIR.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TARGET_CHIPTABLE_H
#define WINNOW_TARGET_CHIPTABLE_H

#include "winnow/Support/Result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace winnow {

/// Logical TFLOP/s (2 * M * N * K / time, zeros counted) of the tensor cores by operand type; 0 where there is no such
/// instruction.
struct TensorRates {
  double f8 = 0;
  double b16 = 0; ///< bf16 and f16
};

struct Chip {
  std::string_view name;  ///< as given to --target
  std::string_view board; ///< the device that the numbers describe
  int64_t multiprocessors = 0;
  int64_t sharedBytes = 0;       ///< greatest dynamic shared memory of one CTA
  TensorRates dense;             ///< sustained for sm_90a (measured), else the peak of the vendor's data sheet
  TensorRates sparse;            ///< the same for 2:4
  double bytesPerSecond = 0;     ///< of device memory
  double fillBytesPerSecond = 0; ///< from L2 into the shared memory of all multiprocessors together
  double burst = 1; ///< how much faster the tensor cores are while only some multiprocessors work, power permitting
  /// Elements that the epilogues of all multiprocessors together finish, into memory or into a compressed result.
  double epilogueRate = 0, compressRate = 0;
  /// Bytes per second, and seconds on top, of sums of parts of tiles that are cut along K; 0: tiles are not cut.
  double sumBytesPerSecond = 0, handOverSeconds = 0;
  double slabSeconds = 0, packedSlabSeconds = 0; ///< least time of 128 bytes of K of a tile, dense and 2:4
  double mapRate = 0;       ///< elements that maps (activation, selection, quantisation) process
  double launchSeconds = 0; ///< start of one more kernel in a stream
  bool wgmma = false;       ///< warpgroup matrix instructions, dense and 2:4
  bool tma = false;         ///< tensor memory accelerator
  bool mmaSp = false;       ///< warp-level 2:4 matrix instructions
  bool compilable = false;  ///< a spec can be compiled for it today
};

/// All rows, in the order in which messages list them.
const std::vector<Chip> &chipTable();

/// The row called `name`. Fails, listing the known names, if there is none. Rows live as long as the program.
Result<const Chip *> lookupChip(std::string_view name);

/// The row called `name` if a spec can be compiled for it; else an error that lists the names for which it can.
Result<const Chip *> lookupTarget(std::string_view name);

} // namespace winnow

#endif // WINNOW_TARGET_CHIPTABLE_H
