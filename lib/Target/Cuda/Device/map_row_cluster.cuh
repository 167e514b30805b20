//===- map_row_cluster.cuh - map with a dynamic row scale, rows shared by a cluster -------------------------------===//
//
// Eight rows belong to a cluster of CTAs, each of which takes kSlice columns of them and holds these in registers while
// the cluster agrees on the largest magnitude of every row: memory is read once. Lanes and stores are as in
// map_row.cuh. Rows are a multiple of eight elements long. Clusters: PTX ISA, "Cluster", "barrier.cluster", "mapa".
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

template <class Config> struct RowCluster {
  static constexpr int kWarps = Config::kThreads / 32;
  static constexpr int kStep = 32 * kWarps; ///< columns that a CTA covers at once
  static constexpr int kChunks = Config::kSlice / kStep;
  static constexpr int kMost = 8; ///< CTAs of a cluster that every device takes
  static_assert(Config::kSlice % kStep == 0 && Config::kSlice * Config::kCluster >= Config::kColumns,
                "slices are whole steps and cover the row");
  static_assert(Config::kCluster <= kMost && Config::kColumns % 8 == 0, "see kern::whyNotSliced");
};

/// The largest magnitude of the row of this lane over the whole cluster, for every thread of it.
template <class Config> __device__ __forceinline__ u32 largest_of_cluster(u32 largest, int rank) {
  using Shape = RowCluster<Config>;
  __shared__ u32 partial[Shape::kWarps][8];
  __shared__ u32 of_rank[Shape::kMost][8];
  const int thread = threadIdx.x, lane = thread % 32;
  __syncwarp();
  largest = max(largest, __shfl_xor_sync(~0u, largest, 1));
  largest = max(largest, __shfl_xor_sync(~0u, largest, 2));
  if (lane % 4 == 0)
    partial[thread / 32][lane / 4] = largest;
  __syncthreads();
  if constexpr (Config::kCluster > 1)
    ptx::cluster_wait();               // every CTA runs: its shared memory may be written
  if (thread < 8 * Config::kCluster) { // to each CTA, the eight rows of this one
    const int target = thread / 8;
    u32 slice = 0;
    for (int i = 0; i < Shape::kWarps; ++i)
      slice = max(slice, partial[i][thread % 8]);
    if constexpr (Config::kCluster > 1)
      ptx::store_cluster(ptx::shared_address(&of_rank[rank][thread % 8]), target, slice);
    else
      of_rank[0][thread % 8] = slice;
  }
  if constexpr (Config::kCluster > 1) {
    ptx::cluster_arrive();
    ptx::cluster_wait();
  } else {
    __syncthreads();
  }
  largest = 0;
#pragma unroll
  for (int i = 0; i < Config::kCluster; ++i)
    largest = max(largest, of_rank[i][lane / 4]);
  return largest;
}

/// The largest number that a thread has loaded, or the largest magnitude; NaN if one is NaN. 16-bit numbers are
/// compared in pairs, as they came; magnitudes by their bits, among which NaN is above infinity.
template <class Tag, bool kMagnitude> class LargestLoaded {
  static constexpr u32 kLeast = kMagnitude ? 0u : IsSame<Tag, Bf16>::value ? 0xFF80FF80u : 0xFC00FC00u; ///< twice
  u32 pair = kLeast;
  float single = __uint_as_float(kMagnitude ? 0u : 0xFF800000u);

public:
  __device__ __forceinline__ void take(const RawEight<Tag> &raw) {
    if constexpr (Tag::kBytes == 2) {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        pair =
            kMagnitude ? ptx::maximum_u16x2(pair, raw.words[i] & 0x7FFF7FFFu) : Pairs<Tag>::maximum(pair, raw.words[i]);
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i)
        single = maximum(single, kMagnitude ? fabsf(raw.get(i)) : raw.get(i));
    }
  }
  __device__ __forceinline__ float get() const {
    if constexpr (Tag::kBytes == 2)
      return maximum(Pairs<Tag>::low(pair), Pairs<Tag>::high(pair));
    else
      return single;
  }
};

/// One output of a thread: the chunks of its row, kStep columns apart.
template <class Out, int kStep> class ChunkOutput {
  void *out;

public:
  __device__ __forceinline__ ChunkOutput(void *out, int, int, int) : out(out) {}
  __device__ __forceinline__ void store(int, const float (&y)[8], const Kept (&kept)[2], float multiplier, bool,
                                        int row, int rows, int column, int columns, int lane) const {
    store_eight<Out>(out, y, kept, multiplier, row, rows, column, columns, lane);
  }
};
/// Packed: a step is a whole number of slabs, so that chunks are a constant number of bytes apart.
template <class Tag, int kPanel, int kStep> class ChunkOutput<Output<kPacked24Axis1, Tag, kPanel>, kStep> {
  using Place = PackedPlace<Output<kPacked24Axis1, Tag, kPanel>>;
  static_assert(kStep % Place::Block::kSlabElements == 0, "a step is whole slabs");
  static constexpr int kStride = kStep / Place::Block::kSlabElements * (kPanel / 64) * Place::Block::kBytes;
  Place place;

public:
  __device__ __forceinline__ ChunkOutput(void *out, int row, int column, int columns)
      : place(out, row, column, columns) {
    ptx::keep(place.values); // otherwise computed anew for every chunk
    ptx::keep(place.metadata);
  }
  __device__ __forceinline__ void store(int chunk, const float (&)[8], const Kept (&kept)[2], float multiplier,
                                        bool inside, int, int, int, int, int lane) const {
    const bool exists[2] = {inside, inside};
    place.store(kept, exists, multiplier, lane, chunk * kStride);
  }
};

/// Whether select_pairs.cuh serves: relu or relu2 of 16-bit numbers, of which only what is kept is stored.
template <class Config, class Body> __device__ constexpr bool selects_pairs() {
  return Body::kReluPower > 0 && IsSame<typename Body::ReluInput, F32>::value && Config::In::kBytes == 2 &&
         Config::kSelect0 == 1 && Config::Out0::kKind == kPacked24Axis1 && Config::Out1::kKind == kNoOutput &&
         Config::Out2::kKind == kNoOutput;
}

/// The selections of the two groups of eight numbers.
template <class Tag, int kPower>
__device__ __forceinline__ void keep_of_eight(Kept (&kept)[2], const RawEight<Tag> &raw,
                                              PairRange<Tag, kPower> &range) {
  u32 x[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) { // of each group element i
    x[i] = Pairs<Tag>::relu(__byte_perm(raw.words[i / 2], raw.words[2 + i / 2], i % 2 ? 0x7632 : 0x5410));
    range.take(x[i]);
  }
  unpack<Tag, kPower>(keep_two_pairs<Tag>(x[0], x[1], x[2], x[3]), kept);
}

template <class Config, class Body>
__device__ __forceinline__ void map_row_cluster(const void *input, float *scale, void *out0, void *out1, void *out2,
                                                int rows) {
  using In = typename Config::In;
  using Shape = RowCluster<Config>;
  static_assert(Config::kSelect0 != 0 && Config::kSelect1 == -1, "rows select along columns only");
  static_assert(Config::kScaleMode == 2 && Config::kGranularity == 1, "for dynamic scales by row");
  constexpr int kColumns = Config::kColumns;
  constexpr int kPadded = padded_columns<typename Config::Out0, typename Config::Out1, typename Config::Out2>(kColumns);
  if constexpr (Config::kCluster > 1)
    ptx::cluster_arrive_relaxed(); // waited for before anything is written to another CTA
  const int rank = Config::kCluster == 1 ? 0 : static_cast<int>(blockIdx.x) % Config::kCluster;
  const int thread = threadIdx.x, lane = thread % 32;
  const int row = static_cast<int>(blockIdx.x) / Config::kCluster * 8 + lane / 4;
  const int column0 = rank * Config::kSlice + thread / 32 * 32 + lane % 4 * 8;
  const bool valid = row < rows;
  const auto *source =
      static_cast<const typename In::Storage *>(input) + static_cast<i64>(valid ? row : 0) * kColumns + column0;
  const auto inside = [&](int chunk) {
    return valid && (Config::kSlice * Config::kCluster == kColumns || column0 + chunk * Shape::kStep < kColumns);
  };
  RawEight<In> raw[Shape::kChunks];
#pragma unroll
  for (int chunk = 0; chunk < Shape::kChunks; ++chunk)
    if (inside(chunk))
      raw[chunk].load_whole(source + chunk * Shape::kStep);
    else if constexpr (selects_pairs<Config, Body>()) // which does not ask what is inside
      raw[chunk] = {};
  // The largest of four is always kept: the maximum needs no selection. Where the body never falls, or does nothing, it
  // needs no body either, except of the largest number.
  float largest = 0.0f;
  if constexpr (Body::kRising || Body::kIdentity) {
    LargestLoaded<In, Body::kIdentity> loaded;
#pragma unroll
    for (int chunk = 0; chunk < Shape::kChunks; ++chunk)
      if (inside(chunk))
        loaded.take(raw[chunk]);
    largest = Body::apply(loaded.get());
  } else {
#pragma unroll
    for (int chunk = 0; chunk < Shape::kChunks; ++chunk)
      if (inside(chunk))
#pragma unroll
        for (int i = 0; i < 8; ++i)
          largest = maximum(largest, fabsf(Body::apply(raw[chunk].get(i))));
  }
  const float row_scale =
      scale_of<typename Config::Out0::Element>(largest_of_cluster<Config>(magnitude(largest), rank));
  if (rank == 0 && thread < 32 && lane % 4 == 0 && valid)
    scale[row] = row_scale;
  const float multiplier = reciprocal(row_scale);
  const ChunkOutput<typename Config::Out0, Shape::kStep> output0(out0, row, column0, kColumns);
  const ChunkOutput<typename Config::Out1, Shape::kStep> output1(out1, row, column0, kColumns);
  const ChunkOutput<typename Config::Out2, Shape::kStep> output2(out2, row, column0, kColumns);
  // Whole warps leave together: the metadata of a packed output is gathered across lanes.
  const auto beyond = [&](int chunk) {
    return Config::kSlice * Config::kCluster > kPadded && column0 + chunk * Shape::kStep - lane % 4 * 8 >= kPadded;
  };
  if constexpr (selects_pairs<Config, Body>()) {
    PairRange<In, Body::kReluPower> range;
#pragma unroll
    for (int chunk = 0; chunk < Shape::kChunks; ++chunk) {
      if (beyond(chunk))
        break;
      const float y[8] = {}; // packed results hold what is kept
      Kept kept[2];
      keep_of_eight<In, Body::kReluPower>(kept, raw[chunk], range);
      // A row that is not there has the scale 1; past the end of one that is, zero is not to meet its scale.
      const bool exists = Config::kSlice * Config::kCluster == kColumns || inside(chunk);
      output0.store(chunk, y, kept, multiplier, exists, row, rows, 0, kColumns, lane);
    }
    if (!__any_sync(~0u, !range.is_exact()))
      return;
  }
#pragma unroll
  for (int chunk = 0; chunk < Shape::kChunks; ++chunk) {
    const int column = column0 + chunk * Shape::kStep;
    if (beyond(chunk))
      break;
    float y[8] = {};
    Kept kept[2] = {{0.0f, 0.0f, 4u}, {0.0f, 0.0f, 4u}};
    if (inside(chunk))
      map_eight<Config, Body>(y, kept, raw[chunk], column, kColumns);
    output0.store(chunk, y, kept, multiplier, inside(chunk), row, rows, column, kColumns, lane);
    output1.store(chunk, y, kept, multiplier, inside(chunk), row, rows, column, kColumns, lane);
    output2.store(chunk, y, kept, multiplier, inside(chunk), row, rows, column, kColumns, lane);
  }
}

} // namespace winnow
