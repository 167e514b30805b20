//===- ChipTable.cpp - the rows -----------------------------------------------------------------------------------===//

#include "winnow/Target/ChipTable.h"

using namespace winnow;

/// The rates of sm_90a are those of an H100 SXM under sustained load (docs/benchmarks.md), divided by the share of full
/// tiles in each measured shape; the cost model multiplies that share in again.
static std::vector<Chip> makeTable() {
  std::vector<Chip> table;
  auto add = [&](std::string_view name, std::string_view board) -> Chip & {
    Chip chip;
    chip.name = name;
    chip.board = board;
    chip.launchSeconds = 3e-6;
    table.push_back(chip);
    return table.back();
  };

  Chip &sm80 = add("sm_80", "A100 SXM 80 GB");
  sm80.multiprocessors = 108;
  sm80.sharedBytes = 166912;
  sm80.dense.b16 = 312;
  sm80.sparse.b16 = 624;
  sm80.bytesPerSecond = 2.0e12;
  sm80.mmaSp = true;

  Chip &sm86 = add("sm_86", "A40");
  sm86.multiprocessors = 84;
  sm86.sharedBytes = 101376;
  sm86.dense.b16 = 150;
  sm86.sparse.b16 = 299;
  sm86.bytesPerSecond = 0.7e12;
  sm86.mmaSp = true;

  Chip &sm89 = add("sm_89", "L40S");
  sm89.multiprocessors = 142;
  sm89.sharedBytes = 101376;
  sm89.dense = {733, 362};
  sm89.sparse = {1466, 733};
  sm89.bytesPerSecond = 0.86e12;
  sm89.mmaSp = true;

  Chip &sm90a = add("sm_90a", "H100 SXM");
  sm90a.multiprocessors = 132;
  sm90a.sharedBytes = 232448;
  sm90a.dense = {1390, 695};
  sm90a.sparse = {2250, 1125};
  sm90a.bytesPerSecond = 3.0e12;
  sm90a.fillBytesPerSecond = 132 * 64 * 1.4e9; // 64 bytes per clock each
  sm90a.burst = 1.3;                           // 1890 TFLOP/s dense in short runs
  // docs/benchmarks.md, "Since then": 3.8 thousand clocks for a tile of 256 x 192, 7.4 with compression, at 1.45 GHz;
  // 1.06 to 1.23 ps per element.
  sm90a.epilogueRate = 132 * 256 * 192 / 2.6e-6;
  sm90a.compressRate = 132 * 256 * 192 / 5.1e-6;
  sm90a.mapRate = 1 / 1.15e-12;
  sm90a.sumBytesPerSecond = 132 * 16 * 1.45e9; // docs/benchmarks.md, "The last wave"
  sm90a.handOverSeconds = 5000 / 1.45e9;
  sm90a.slabSeconds = 245e-9; // ChipLimits::leastSlabClocks
  sm90a.packedSlabSeconds = 195e-9;
  sm90a.wgmma = true;
  sm90a.tma = true;
  sm90a.mmaSp = true;
  sm90a.compilable = true;

  Chip &sm120a = add("sm_120a", "RTX 5090");
  sm120a.multiprocessors = 170;
  sm120a.sharedBytes = 101376;
  sm120a.dense = {419, 210};
  sm120a.sparse = {838, 419};
  sm120a.bytesPerSecond = 1.79e12;
  sm120a.tma = true;
  sm120a.mmaSp = true;

  Chip &cpu = add("cpu", "reference interpreter");
  cpu.launchSeconds = 0;
  cpu.compilable = true;
  return table;
}

const std::vector<Chip> &winnow::chipTable() {
  static const std::vector<Chip> table = makeTable();
  return table;
}

static std::string listNames(bool compilableOnly) {
  std::string names;
  for (const Chip &chip : chipTable())
    if (chip.compilable || !compilableOnly)
      names += (names.empty() ? "" : ", ") + std::string(chip.name);
  return names;
}

Result<const Chip *> winnow::lookupChip(std::string_view name) {
  for (const Chip &chip : chipTable())
    if (chip.name == name)
      return &chip;
  return Error{"unknown target '" + std::string(name) + "', expected one of " + listNames(false) +
               " (of these, specs compile today for " + listNames(true) + ")"};
}

Result<const Chip *> winnow::lookupTarget(std::string_view name) {
  Result<const Chip *> chip = lookupChip(name);
  if (chip && !(*chip)->compilable)
    return Error{"target '" + std::string(name) + "' is known but cannot be compiled for yet, expected one of " +
                 listNames(true)};
  return chip;
}
