//===- gemm_work.cuh - which tile, and which part of K, a CTA multiplies next ------------------------------------===//
//
// The grid is persistent: CTA c takes the work units c, c + grid, … Units are whole tiles while all CTAs have one. The
// CTAs of a cluster take tiles one below the other, which multiply the same columns of B, and do everything together:
// a unit is then such a stack of tiles, and the grid counts clusters. A stack may reach beyond the last row. What
// is left for a last wave would leave CTAs without work: with Config::kSplit > 1 each of these tiles is cut along K
// into up to that many parts. All parts but the last of a tile write their sums to memory; the CTA with the last part
// adds them in the order of the parts and finishes the tile, so that results do not depend on which part is done first.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// A tile, or a part of one.
struct Work {
  int tile_m, tile_n;
  int first, slabs; ///< slabs of K
  int part, parts;  ///< which of how many parts of the tile
  int tail;         ///< which of the tiles that are cut
  __device__ __forceinline__ bool finishes() const { return part + 1 == parts; }
};

/// The order of work. Tiles: M fastest inside a raster group of Config::kRaster tile rows, so that a group shares its
/// columns of B and the grid its rows of A in L2.
template <class Config> class WorkWalk {
  static constexpr int kCluster = Config::kCluster;
  static constexpr int kStacks = Config::kRaster > kCluster ? Config::kRaster / kCluster : 1; ///< of a raster group
  int tiles_m, stacks_m, tiles_n, slabs;
  int whole = 0;         ///< stacks that are one unit
  int tail = 0, cut = 1; ///< stacks that are `cut` units each

public:
  __device__ __forceinline__ WorkWalk(const GemmArguments &arguments, int slabs) : slabs(slabs) {
    int m = arguments.m, n = arguments.n;
    if constexpr (Config::kCompress) { // a packed result is written to the end of its last panel and slab
      constexpr int kOutSlab = kSlabBytes / Config::Out::kBytes;
      m = (m + Config::kOutPanel - 1) / Config::kOutPanel * Config::kOutPanel;
      n = (n + kOutSlab - 1) / kOutSlab * kOutSlab;
    }
    tiles_m = (m + Config::kTileM - 1) / Config::kTileM;
    tiles_n = (n + Config::kTileN - 1) / Config::kTileN;
    stacks_m = (tiles_m + kCluster - 1) / kCluster;
    whole = stacks_m * tiles_n;
    if constexpr (Config::kSplit > 1) {
      const int grid = static_cast<int>(gridDim.x);
      tail = whole % (grid / kCluster);
      cut = cheapest_cut(grid);
      whole -= tail;
    }
  }
  /// The CTA's units are `first`, `first + step`, … below `count`.
  static __device__ __forceinline__ int first() { return static_cast<int>(blockIdx.x) / kCluster; }
  static __device__ __forceinline__ int step() { return static_cast<int>(gridDim.x) / kCluster; }
  static __device__ __forceinline__ int rank() { return static_cast<int>(blockIdx.x) % kCluster; }
  __device__ __forceinline__ int count() const { return whole + tail * cut; }
  /// Of all CTAs, with those beyond the last row.
  __device__ __forceinline__ int tiles() const { return (whole + tail) * kCluster; }
  /// The row of tiles whose operand is read for the tile: a stack may reach beyond the last.
  __device__ __forceinline__ int readable(const Work &work) const {
    return kCluster == 1 ? work.tile_m : min(work.tile_m, tiles_m - 1);
  }
  __device__ __forceinline__ Work locate(int unit) const {
    Work work{0, 0, 0, slabs, 0, 1, 0};
    int stack = unit;
    if constexpr (Config::kSplit > 1)
      if (unit >= whole && cut > 1) { // who finishes a tile waits for CTAs before it alone
        work.part = (unit - whole) / tail;
        const int index = unit - whole - work.part * tail;
        work.tail = index * kCluster + rank();
        work.parts = cut;
        work.first = slabs * work.part / cut;
        work.slabs = slabs * (work.part + 1) / cut - work.first;
        stack = whole + index;
      }
    const int per_group = kStacks * tiles_n;
    const int group = stack / per_group, rest = stack - group * per_group;
    const int rows = min(kStacks, stacks_m - group * kStacks);
    work.tile_n = rest / rows;
    work.tile_m = (group * kStacks + rest - work.tile_n * rows) * kCluster + rank();
    return work;
  }

private:
  static constexpr int kStreaming = 81;

  /// The number of parts that the model of the schedules expects to take least time (`kern::cutTail`,
  /// ScheduleModel.cpp; both must agree), in half slabs: Config::kSplitCost is what one tile's sums cost to write, and
  /// what they cost to read. Where all tiles are in the last wave, B's way from device memory takes
  /// Config::kSplitStream, and longer with less than kStreaming CTAs.
  __device__ __forceinline__ int cheapest_cut(int grid) const {
    const int tail = this->tail * kCluster; // tiles
    const int stream = whole == this->tail ? Config::kSplitStream : 0;
    const auto streamed = [&](int parts) {
      const int active = min(grid, tail * parts);
      return active == 0 ? 0 : stream * max(kStreaming, active) / active;
    };
    int best = 1, least = max(2 * slabs, streamed(1));
    if (tail > Config::kSplitCounters) // more multiprocessors than there are counters for
      return 1;
#pragma unroll 1
    for (int parts = 2;
         parts <= Config::kSplit && parts <= slabs && tail * parts <= grid && tail * (parts - 1) <= Config::kSplitSlots;
         ++parts) {
      const int share = (slabs + parts - 1) / parts;
      const int time = max(2 * share, streamed(parts)) + Config::kSplitCost * (parts + 1);
      if (time < least) {
        least = time;
        best = parts;
      }
    }
    return best;
  }
};

/// Soft pacing: CTAs that drift apart stop sharing what they read in L2. Every kPacing slabs a producer counts itself
/// in and waits, for a bounded time, until all CTAs have reached the chunk before. Correctness never depends on it.
/// Parts of tiles are not paced.
template <class Config> class Pacer {
  u32 *progress;
  int tiles, slabs, limit, chunk = 0, countdown = 1;

public:
  __device__ __forceinline__ Pacer(const GemmArguments &arguments, int tiles, int slabs)
      : progress(arguments.progress + Config::kSplitCounters), tiles(tiles), slabs(slabs) {
    // As many counters as the launcher allots: see docs/kernels.md, "Counters".
    if constexpr (Config::kPacing > 0)
      limit = ((tiles + 131) / 132 + 1) * ((slabs + Config::kPacing - 1) / Config::kPacing + 1);
  }
  __device__ __forceinline__ void step(const Work &work) {
    if constexpr (Config::kPacing > 0) {
      if (work.parts > 1 || --countdown != 0 || chunk >= limit)
        return;
      countdown = Config::kPacing;
      ptx::count_arrival(progress + chunk);
      if (chunk > 0) {
        const int wave = (chunk - 1) * Config::kPacing / slabs, grid = static_cast<int>(gridDim.x);
        const u32 expected = static_cast<u32>(min(grid, tiles - wave * grid));
        int polls = 0;
        while (ptx::load_relaxed(progress + chunk - 1) < expected)
          if (++polls == kPatience) { // some CTA is not resident: go on without pacing
            limit = 0;
            break;
          }
      }
      ++chunk;
    }
  }

private:
  static constexpr int kPatience = 4096;
};

} // namespace winnow
