//===- map_row.cuh - element-wise map of whole rows ---------------------------------------------------------------===//
//
// A CTA of eight warps owns eight rows. A warp step covers 8 rows x 32 columns: lane l has row l / 4 and the eight
// columns from 8 * (l % 4), so that a quad reads 64 contiguous bytes of bf16 and writes 16 contiguous bytes of packed
// f8, and the eight rows of a step fill one 128-byte core matrix. A dynamic scale costs a first pass over the row:
// map_row_cluster.cuh spares it where it can.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

/// Eight consecutive elements of a row as loaded, so that several loads can be in flight before the first is widened.
template <class Tag> struct RawEight {
  static constexpr int kWords = 2 * Tag::kBytes;
  u32 words[kWords];

  /// Zeros where the row ends before. `vector` says that every row starts at a multiple of 16 bytes.
  __device__ __forceinline__ void load(const typename Tag::Storage *row, int column, int columns, bool vector) {
    const auto *source = row + column;
    if (vector && column + 8 <= columns)
      return load_whole(source);
#pragma unroll
    for (int i = 0; i < kWords; ++i)
      words[i] = 0;
#pragma unroll
    for (int i = 0; i < 8; ++i)
      if (column + i < columns) {
        if constexpr (Tag::kBytes == 4)
          words[i] = __float_as_uint(source[i]);
        else
          words[i * Tag::kBytes / 4] |= static_cast<u32>(source[i]) << (8 * (i * Tag::kBytes % 4));
      }
  }
  /// All eight lie inside a row that starts at a multiple of 16 bytes.
  __device__ __forceinline__ void load_whole(const typename Tag::Storage *source) {
    if constexpr (kWords == 2) {
      const uint2 v = *reinterpret_cast<const uint2 *>(source);
      words[0] = v.x, words[1] = v.y;
    } else {
#pragma unroll
      for (int i = 0; i < kWords / 4; ++i) {
        const uint4 v = reinterpret_cast<const uint4 *>(source)[i];
        words[4 * i] = v.x, words[4 * i + 1] = v.y, words[4 * i + 2] = v.z, words[4 * i + 3] = v.w;
      }
    }
  }
  __device__ __forceinline__ float get(int i) const {
    if constexpr (Tag::kBytes == 4)
      return __uint_as_float(words[i]);
    else
      return Convert<Tag>::widen(
          static_cast<typename Tag::Storage>(words[i * Tag::kBytes / 4] >> (8 * (i * Tag::kBytes % 4))));
  }
};

/// Chunks of 8 rows x 32 columns that a warp has in flight.
constexpr int kRowUnroll = 4;

/// Body applied and, where configured, two of every four kept (the others become +0.0).
template <class Config, class Body>
__device__ __forceinline__ void map_eight(float (&y)[8], Kept (&kept)[2], const RawEight<typename Config::In> &raw,
                                          int column, int columns) {
  const bool whole = columns % 8 == 0; // known at compile time nearly always
#pragma unroll
  for (int i = 0; i < 8; ++i)
    y[i] = whole || column + i < columns ? Body::apply(raw.get(i)) : 0.0f;
  if constexpr (Config::kSelect0 == 1) {
#pragma unroll
    for (int group = 0; group < 2; ++group) {
      kept[group] = keep_two<Body::kOrdered>(y[4 * group], y[4 * group + 1], y[4 * group + 2], y[4 * group + 3]);
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (!is_kept(kept[group], i))
          y[4 * group + i] = 0.0f;
    }
  }
}

/// Where eight consecutive elements of a row lie in a packed output.
template <class Out> struct PackedPlace {
  using Block = PackedBlock<Out::Element::kBytes>;
  u8 *values, *metadata;

  __device__ __forceinline__ PackedPlace(void *out, int row, int column, int columns) {
    constexpr int kPanelBlocks = Out::kPanel / 64;
    const int slabs = (columns + Block::kSlabElements - 1) / Block::kSlabElements;
    const int slab = column / Block::kSlabElements, block_row = row / 64;
    u8 *block = static_cast<u8 *>(out) + ((static_cast<i64>(block_row / kPanelBlocks) * slabs + slab) * kPanelBlocks +
                                          block_row % kPanelBlocks) *
                                             Block::kBytes;
    const int row_in_block = row % 64, in_slab = column % Block::kSlabElements;
    values = block + Block::value_offset(row_in_block, in_slab / 2 * Out::Element::kBytes);
    metadata = block + Block::metadata_offset(row_in_block, in_slab);
  }
  /// Every lane of the warp stores, `offset` bytes further: the quad's four bytes of nibbles are one metadata word, 32
  /// columns of one row. Groups that do not exist are stored as zeros.
  __device__ __forceinline__ void store(const Kept (&kept)[2], const bool (&exists)[2], float multiplier, int lane,
                                        int offset = 0) const {
    using Tag = typename Out::Element;
    float v[4];
    u32 word = 0;
#pragma unroll
    for (int group = 0; group < 2; ++group) {
      word |= kept[group].nibble << (4 * group);
      v[2 * group] = exists[group] ? __fmul_rn(kept[group].low, multiplier) : 0.0f;
      v[2 * group + 1] = exists[group] ? __fmul_rn(kept[group].high, multiplier) : 0.0f;
    }
    u32 bits[Tag::kBytes];
    narrow4<Tag>(bits, v[0], v[1], v[2], v[3]);
    if constexpr (Tag::kBytes == 1)
      *reinterpret_cast<u32 *>(values + offset) = bits[0];
    else
      *reinterpret_cast<uint2 *>(values + offset) = make_uint2(bits[0], bits[1]);
    word <<= 8 * (lane & 3);
    word |= __shfl_xor_sync(~0u, word, 1);
    word |= __shfl_xor_sync(~0u, word, 2);
    if ((lane & 3) == 0)
      Block::store_metadata(metadata + offset, word);
  }
};

/// Stores eight mapped elements of one row in the form of one output.
template <class Out>
__device__ __forceinline__ void store_eight(void *out, const float (&y)[8], const Kept (&kept)[2], float multiplier,
                                            int row, int rows, int column, int columns, int lane) {
  using Tag = typename Out::Element;
  if constexpr (Out::kKind == kRowMajor) {
    if (row >= rows || column >= columns)
      return;
    auto *destination = static_cast<typename Tag::Storage *>(out) + static_cast<i64>(row) * columns + column;
    if (column + 8 <= columns && columns % (16 / Tag::kBytes) == 0) {
      u32 low[Tag::kBytes], high[Tag::kBytes];
      narrow4<Tag>(low, __fmul_rn(y[0], multiplier), __fmul_rn(y[1], multiplier), __fmul_rn(y[2], multiplier),
                   __fmul_rn(y[3], multiplier));
      narrow4<Tag>(high, __fmul_rn(y[4], multiplier), __fmul_rn(y[5], multiplier), __fmul_rn(y[6], multiplier),
                   __fmul_rn(y[7], multiplier));
      u32 *words = reinterpret_cast<u32 *>(destination);
      if constexpr (Tag::kBytes == 1) {
        *reinterpret_cast<uint2 *>(words) = make_uint2(low[0], high[0]);
      } else if constexpr (Tag::kBytes == 2) {
        *reinterpret_cast<uint4 *>(words) = make_uint4(low[0], low[1], high[0], high[1]);
      } else {
        *reinterpret_cast<uint4 *>(words) = make_uint4(low[0], low[1], low[2], low[3]);
        *reinterpret_cast<uint4 *>(words + 4) = make_uint4(high[0], high[1], high[2], high[3]);
      }
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i)
        if (column + i < columns)
          destination[i] = Convert<Tag>::narrow(__fmul_rn(y[i], multiplier));
    }
  } else if constexpr (Out::kKind == kMask) {
    if (row >= rows)
      return;
    u8 *destination = static_cast<u8 *>(out) + static_cast<i64>(row) * columns + column;
    u32 words[2] = {0, 0};
#pragma unroll
    for (int i = 0; i < 8; ++i)
      words[i / 4] |= is_kept(kept[i / 4], i % 4) ? 1u << (8 * (i % 4)) : 0u;
    if (column + 8 <= columns && columns % 8 == 0) {
      *reinterpret_cast<uint2 *>(destination) = make_uint2(words[0], words[1]);
    } else {
#pragma unroll
      for (int i = 0; i < 8; ++i)
        if (column + i < columns)
          destination[i] = words[i / 4] >> (8 * (i % 4)) & 1;
    }
  } else if constexpr (Out::kKind == kPacked24Axis1) {
    const bool exists[2] = {row < rows && column < columns, row < rows && column + 4 < columns};
    PackedPlace<Out>(out, row, column, columns).store(kept, exists, multiplier, lane);
  }
}

/// Columns that an output needs written, padding included.
template <class Out> __device__ __forceinline__ constexpr int padded_columns(int columns) {
  if constexpr (Out::kKind == kPacked24Axis1) {
    constexpr int kSlab = PackedBlock<Out::Element::kBytes>::kSlabElements;
    return (columns + kSlab - 1) / kSlab * kSlab;
  }
  return columns;
}
/// The most that any of several outputs needs.
template <class First, class Second, class... Rest>
__device__ __forceinline__ constexpr int padded_columns(int columns) {
  const int first = padded_columns<First>(columns), others = padded_columns<Second, Rest...>(columns);
  return first > others ? first : others;
}

template <class Config, class Body>
__device__ __forceinline__ void map_row(const void *input, float *scale, void *out0, void *out1, void *out2, int rows,
                                        int columns) {
  using In = typename Config::In;
  static_assert(Config::kSelect0 != 0 && Config::kSelect1 == -1, "rows select along columns only");
  static_assert(Config::kScaleMode != 2 || Config::kGranularity == 1, "a dynamic scale is by row");
  __shared__ u32 partial[8][8];
  __shared__ float row_scale[8];
  const int thread = threadIdx.x, warp = thread / 32, lane = thread % 32;
  const int row = static_cast<int>(blockIdx.x) * 8 + lane / 4;
  const bool valid = row < rows, vector = columns % (16 / In::kBytes) == 0;
  const auto *source = static_cast<const typename In::Storage *>(input) + static_cast<i64>(valid ? row : 0) * columns;
  float multiplier = 1.0f;
  if constexpr (Config::kScaleMode == 2) {
    // The largest of four is always kept: the maximum needs no selection.
    u32 largest = 0;
    for (int start = warp * 32 + lane % 4 * 8; start < columns && valid; start += 256 * kRowUnroll) {
      RawEight<In> raw[kRowUnroll];
#pragma unroll
      for (int u = 0; u < kRowUnroll; ++u)
        raw[u].load(source, min(start + 256 * u, columns), columns, vector);
#pragma unroll
      for (int u = 0; u < kRowUnroll; ++u)
#pragma unroll
        for (int i = 0; i < 8; ++i)
          if (start + 256 * u + i < columns)
            largest = max(largest, magnitude(Body::apply(raw[u].get(i))));
    }
    __syncwarp();
    largest = max(largest, __shfl_xor_sync(~0u, largest, 1));
    largest = max(largest, __shfl_xor_sync(~0u, largest, 2));
    if (lane % 4 == 0)
      partial[warp][lane / 4] = largest;
    __syncthreads();
    if (thread < 8) {
      largest = 0;
      for (int i = 0; i < 8; ++i)
        largest = max(largest, partial[i][thread]);
      const float s = scale_of<typename Config::Out0::Element>(largest);
      row_scale[thread] = s;
      const int scale_row = static_cast<int>(blockIdx.x) * 8 + thread;
      if (scale_row < rows)
        scale[scale_row] = s;
    }
    __syncthreads();
    multiplier = reciprocal(row_scale[lane / 4]);
  } else if constexpr (Config::kScaleMode == 1) {
    multiplier = reciprocal(scale[Config::kGranularity == 1 ? (valid ? row : 0) : 0]);
  }
  const int padded = padded_columns<typename Config::Out0, typename Config::Out1, typename Config::Out2>(columns);
  // Whole warps step together: the metadata of a packed output is gathered across lanes.
  for (int start = warp * 32; start < padded; start += 256 * kRowUnroll) {
    RawEight<In> raw[kRowUnroll];
#pragma unroll
    for (int u = 0; u < kRowUnroll; ++u)
      raw[u].load(source, min(start + 256 * u + lane % 4 * 8, columns), columns, vector);
#pragma unroll
    for (int u = 0; u < kRowUnroll; ++u) {
      const int column = start + 256 * u + lane % 4 * 8;
      if (start + 256 * u >= padded)
        break;
      float y[8] = {};
      Kept kept[2] = {{0.0f, 0.0f, 4u}, {0.0f, 0.0f, 4u}};
      if (valid && column < columns)
        map_eight<Config, Body>(y, kept, raw[u], column, columns);
      store_eight<typename Config::Out0>(out0, y, kept, multiplier, row, rows, column, columns, lane);
      store_eight<typename Config::Out1>(out1, y, kept, multiplier, row, rows, column, columns, lane);
      store_eight<typename Config::Out2>(out2, y, kept, multiplier, row, rows, column, columns, lane);
    }
  }
}

} // namespace winnow
