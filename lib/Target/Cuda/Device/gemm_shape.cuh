//===- gemm_shape.cuh - sizes that follow from a configuration, and accumulators ----------------------------------===//

namespace winnow {

template <class Config> struct GemmShape {
  static constexpr int kElementBytes = Config::kElementBytes;
  using Block = PackedBlock<kElementBytes>;
  static constexpr int kSlab = kSlabBytes / kElementBytes; ///< elements of K per stage
  static constexpr int kSharing = Config::kTurns ? 1 : Config::kWarpgroups; ///< warpgroups that share a tile
  static constexpr int kRowsPerWarpgroup = Config::kTileM / kSharing;
  static constexpr int kBlocks = kRowsPerWarpgroup / 64; ///< m64 instructions per warpgroup
  static constexpr int kBlockBytes = Config::kSparse ? Block::kBytes : 64 * kSlabBytes;
  static constexpr int kLhsBytes = Config::kTileM / 64 * kBlockBytes;
  static constexpr int kRhsBytes = Config::kTileN * kSlabBytes;
  static constexpr int kRhsShare = Config::kTileN / Config::kCluster; ///< rows of B that each CTA of a cluster fetches
  static constexpr int kCopyBytes = kLhsBytes + kRhsBytes;
  static constexpr int kStageBytes = (kCopyBytes + 1023) / 1024 * 1024; ///< the swizzle repeats every 1024 bytes
  static constexpr int kScaleWords = Config::kTileN + kRowsPerWarpgroup + 4; ///< of a warpgroup; 16 bytes for scalars
  static constexpr int kBarrierBytes = 256;
  static constexpr int kBarriersPerStage = Config::kCluster > 1 ? 3 : 2;
  static constexpr int kTurnOffset = kBarrierBytes - 16; ///< of the mbarriers that let a warpgroup have its turn
  static constexpr int kSharedBytes =
      Config::kStages * kStageBytes + kBarrierBytes + Config::kWarpgroups * kScaleWords * 4;
  static constexpr int kSteps = Config::kSparse ? 2 : 4; ///< instructions along K per stage and block
  static constexpr int kStepBytesRhs = kSlabBytes / kSteps;
  static constexpr int kThreads = (Config::kWarpgroups + 1) * 128;
  /// Arrivals with which a warpgroup gives a stage back. Metadata are read from shared memory by every thread itself.
  static constexpr int kReleases = Config::kSparse ? 128 : 1;

  static_assert(!Config::kTurns || (Config::kWarpgroups == 2 && !Config::kStaged),
                "two warpgroups take turns, and the product of one hides the stores of the other");
  static_assert(Config::kTileM == kSharing * kBlocks * 64,
                "tile rows must be whole m64 blocks per warpgroup");
  static_assert(Config::kTileN % 32 == 0 && Config::kTileN <= 256,
                "tile columns must be a multiple of 32, at most 256");
  static_assert(kBarriersPerStage * 8 * Config::kStages <= (Config::kTurns ? kTurnOffset : kBarrierBytes),
                "too many stages");
  static_assert(Config::kCluster == 1 || kRhsShare % 32 == 0, "a share of B must be whole groups of 32 rows");
  static_assert(kSharedBytes <= 232448, "more shared memory than a multiprocessor has");
};

/// Accumulators of one consumer warpgroup for one tile: block b, instruction register i.
template <class Config> struct Accumulators {
  float value[GemmShape<Config>::kBlocks][Config::kTileN / 2];
};

} // namespace winnow
