//===- map_patch.cuh - element-wise map of 4 x 4 patches ----------------------------------------------------------===//
//
// A CTA of 256 threads owns 64 rows x 128 columns; a thread owns two patches of 4 x 4, so that groups of four along
// either axis are within one thread: selection by token, by feature, or one under the other, and results in any layout.
//
//===--------------------------------------------------------------------------------------------------------------===//

namespace winnow {

constexpr int kPatchTileRows = 64, kPatchTileColumns = 128;

struct Patch {
  float value[4][4]; ///< mapped; zero where not kept or outside the matrix
  u32 kept;          ///< bit 4 * row + column: kept by the last selection (all, if none)
  u32 nibble[4];     ///< of the last selection: per row (axis 1) or per column (axis 0)
};

/// Keeps two of every four along kAxis among what is still kept, and records positions.
template <int kAxis, bool kOrdered> __device__ __forceinline__ void select_patch(Patch &patch) {
  if constexpr (kAxis >= 0) {
    u32 kept_bits = 0;
#pragma unroll
    for (int line = 0; line < 4; ++line) {
      const auto value = [&](int i) { return kAxis == 1 ? patch.value[line][i] : patch.value[i][line]; };
      const Kept kept = keep_two<kOrdered>(value(0), value(1), value(2), value(3));
      patch.nibble[line] = kept.nibble;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int row = kAxis == 1 ? line : i, column = kAxis == 1 ? i : line;
        if (is_kept(kept, i))
          kept_bits |= 1u << (4 * row + column);
        else
          patch.value[row][column] = 0.0f;
      }
    }
    patch.kept = kept_bits;
  }
}

/// Reads, maps and selects the patch at (row, column); elements outside the matrix are +0.0.
template <class Config, class Body>
__device__ __forceinline__ void load_patch(Patch &patch, const void *input, int row, int column, int rows,
                                           int columns) {
  using In = typename Config::In;
  const auto *source = static_cast<const typename In::Storage *>(input);
  patch.kept = 0xFFFFu;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    typename In::Storage x[4] = {};
    const i64 offset = static_cast<i64>(row + i) * columns + column;
    if (row + i < rows) {
      if (column + 4 <= columns && columns % 4 == 0) {
        if constexpr (In::kBytes == 1) {
          const u32 v = *reinterpret_cast<const u32 *>(source + offset);
#pragma unroll
          for (int j = 0; j < 4; ++j)
            x[j] = static_cast<u8>(v >> (8 * j));
        } else if constexpr (In::kBytes == 2) {
          const uint2 v = *reinterpret_cast<const uint2 *>(source + offset);
          x[0] = static_cast<u16>(v.x), x[1] = static_cast<u16>(v.x >> 16);
          x[2] = static_cast<u16>(v.y), x[3] = static_cast<u16>(v.y >> 16);
        } else {
          const float4 v = *reinterpret_cast<const float4 *>(source + offset);
          x[0] = v.x, x[1] = v.y, x[2] = v.z, x[3] = v.w;
        }
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j)
          if (column + j < columns)
            x[j] = source[offset + j];
      }
    }
#pragma unroll
    for (int j = 0; j < 4; ++j)
      patch.value[i][j] = row + i < rows && column + j < columns ? Body::apply(Convert<In>::widen(x[j])) : 0.0f;
  }
  select_patch<Config::kSelect0, Body::kOrdered>(patch);
  select_patch<Config::kSelect1, Body::kOrdered>(patch);
}

/// Nibbles of a 64 x 128 tile on their way to metadata words: one byte per group.
struct PatchNibbles {
  u8 group[kPatchTileRows * kPatchTileColumns / 4];
};

/// Stores one patch in the form of one output; nibbles of packed outputs go to shared memory.
template <class Out>
__device__ __forceinline__ void store_patch(void *out, const Patch &patch, const float (&quantized)[4][4],
                                            PatchNibbles &nibbles, int row, int column, int rows, int columns) {
  using Tag = typename Out::Element;
  using Storage = typename Tag::Storage;
  if constexpr (Out::kKind == kRowMajor || Out::kKind == kMask) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (row + i >= rows || column >= columns)
        continue;
      const i64 offset = static_cast<i64>(row + i) * columns + column;
      if constexpr (Out::kKind == kMask) {
#pragma unroll
        for (int j = 0; j < 4; ++j)
          if (column + j < columns)
            static_cast<u8 *>(out)[offset + j] = patch.kept >> (4 * i + j) & 1;
      } else if (column + 4 <= columns && columns % 4 == 0) {
        u32 words[Tag::kBytes];
        narrow4<Tag>(words, quantized[i][0], quantized[i][1], quantized[i][2], quantized[i][3]);
        u32 *destination = reinterpret_cast<u32 *>(static_cast<Storage *>(out) + offset);
        if constexpr (Tag::kBytes == 1)
          *destination = words[0];
        else if constexpr (Tag::kBytes == 2)
          *reinterpret_cast<uint2 *>(destination) = make_uint2(words[0], words[1]);
        else
          *reinterpret_cast<uint4 *>(destination) = make_uint4(words[0], words[1], words[2], words[3]);
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j)
          if (column + j < columns)
            static_cast<Storage *>(out)[offset + j] = Convert<Tag>::narrow(quantized[i][j]);
      }
    }
  } else if constexpr (Out::kKind == kTransposed) {
    const int pitch = (rows + 127) / 128 * 128;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (column + j >= columns || row >= pitch)
        continue;
      u32 words[Tag::kBytes];
      narrow4<Tag>(words, quantized[0][j], quantized[1][j], quantized[2][j], quantized[3][j]);
      u32 *destination =
          reinterpret_cast<u32 *>(static_cast<Storage *>(out) + static_cast<i64>(column + j) * pitch + row);
      if constexpr (Tag::kBytes == 1)
        *destination = words[0];
      else if constexpr (Tag::kBytes == 2)
        *reinterpret_cast<uint2 *>(destination) = make_uint2(words[0], words[1]);
      else
        *reinterpret_cast<uint4 *>(destination) = make_uint4(words[0], words[1], words[2], words[3]);
    }
  } else if constexpr (Out::kKind == kPacked24Axis1 || Out::kKind == kPacked24Axis0) {
    // A is M x K: the matrix itself (axis 1) or its transpose (axis 0).
    constexpr bool kByRow = Out::kKind == kPacked24Axis1;
    using Block = PackedBlock<Tag::kBytes>;
    constexpr int kPanelBlocks = Out::kPanel / 64;
    const int m_extent = kByRow ? rows : columns, k_extent = kByRow ? columns : rows;
    const int slabs = (k_extent + Block::kSlabElements - 1) / Block::kSlabElements;
    const int k = kByRow ? column : row, slab = k / Block::kSlabElements, in_slab = k % Block::kSlabElements;
    const int padded_m = (m_extent + Out::kPanel - 1) / Out::kPanel * Out::kPanel;
#pragma unroll
    for (int line = 0; line < 4; ++line) {
      const int m = (kByRow ? row : column) + line;
      // Outside the matrix the patch is zero, and zeros keep positions 0 and 1: padding is written like anything else.
      const u32 nibble = patch.nibble[line], first = nibble & 3, second = nibble >> 2;
      const int tile_line = m % (kByRow ? kPatchTileRows : kPatchTileColumns);
      const int tile_group = k % (kByRow ? kPatchTileColumns : kPatchTileRows) / 4;
      nibbles.group[tile_line * ((kByRow ? kPatchTileColumns : kPatchTileRows) / 4) + tile_group] =
          static_cast<u8>(nibble);
      if (m >= padded_m || slab >= slabs)
        continue;
      float low = 0.0f, high = 0.0f;
#pragma unroll
      for (int i = 0; i < 4; ++i) { // indices known at compile time: the patch stays in registers
        const float v = kByRow ? quantized[line][i] : quantized[i][line];
        low = first == i ? v : low;
        high = second == i ? v : high;
      }
      u8 *block =
          static_cast<u8 *>(out) +
          ((static_cast<i64>(m / Out::kPanel) * slabs + slab) * kPanelBlocks + m % Out::kPanel / 64) * Block::kBytes;
      u8 *destination = block + Block::value_offset(m % 64, in_slab / 2 * Tag::kBytes);
      if constexpr (Tag::kBytes == 1)
        *reinterpret_cast<u16 *>(destination) = narrow_pair<Tag>(low, high);
      else
        *reinterpret_cast<u32 *>(destination) =
            static_cast<u32>(Convert<Tag>::narrow(low)) | (static_cast<u32>(Convert<Tag>::narrow(high)) << 16);
    }
  }
}

/// Assembles the metadata words of the CTA's tile from the nibbles in shared memory.
template <class Out>
__device__ __forceinline__ void store_metadata(void *out, const PatchNibbles &nibbles, int row0, int column0, int rows,
                                               int columns) {
  if constexpr (Out::kKind == kPacked24Axis1 || Out::kKind == kPacked24Axis0) {
    constexpr bool kByRow = Out::kKind == kPacked24Axis1;
    using Block = PackedBlock<Out::Element::kBytes>;
    constexpr int kPanelBlocks = Out::kPanel / 64;
    constexpr int kLines = kByRow ? kPatchTileRows : kPatchTileColumns,
                  kDepth = kByRow ? kPatchTileColumns : kPatchTileRows;
    const int m_extent = kByRow ? rows : columns, k_extent = kByRow ? columns : rows;
    const int slabs = (k_extent + Block::kSlabElements - 1) / Block::kSlabElements;
    const int padded_m = (m_extent + Out::kPanel - 1) / Out::kPanel * Out::kPanel;
    for (int i = threadIdx.x; i < kLines * (kDepth / 32); i += blockDim.x) {
      const int line = i / (kDepth / 32), half = i % (kDepth / 32);
      const int m = (kByRow ? row0 : column0) + line, k = (kByRow ? column0 : row0) + 32 * half;
      const int slab = k / Block::kSlabElements;
      if (m >= padded_m || slab >= slabs)
        continue;
      u32 word = 0;
#pragma unroll
      for (int group = 0; group < 8; ++group)
        word |= static_cast<u32>(nibbles.group[line * (kDepth / 4) + 8 * half + group]) << (4 * group);
      u8 *block =
          static_cast<u8 *>(out) +
          ((static_cast<i64>(m / Out::kPanel) * slabs + slab) * kPanelBlocks + m % Out::kPanel / 64) * Block::kBytes;
      Block::store_metadata(block, m % 64, k % Block::kSlabElements, word);
    }
  }
}

/// Rows and columns that an output needs written, padding included.
template <class Out>
__device__ __forceinline__ void extend(int &padded_rows, int &padded_columns, int rows, int columns) {
  using Block = PackedBlock<Out::Element::kBytes == 4 ? 1 : Out::Element::kBytes>;
  constexpr int kSlab = Block::kSlabElements;
  if constexpr (Out::kKind == kPacked24Axis1) {
    padded_rows = max(padded_rows, (rows + Out::kPanel - 1) / Out::kPanel * Out::kPanel);
    padded_columns = max(padded_columns, (columns + kSlab - 1) / kSlab * kSlab);
  } else if constexpr (Out::kKind == kPacked24Axis0) {
    padded_rows = max(padded_rows, (rows + kSlab - 1) / kSlab * kSlab);
    padded_columns = max(padded_columns, (columns + Out::kPanel - 1) / Out::kPanel * Out::kPanel);
  } else if constexpr (Out::kKind == kTransposed) {
    padded_rows = max(padded_rows, (rows + 127) / 128 * 128);
  }
}

/// Origin of the CTA's tile; tiles run along columns first.
template <class Config> __device__ __forceinline__ void patch_tile(int &row0, int &column0, int rows, int columns) {
  int padded_rows = rows, padded_columns = columns;
  extend<typename Config::Out0>(padded_rows, padded_columns, rows, columns);
  extend<typename Config::Out1>(padded_rows, padded_columns, rows, columns);
  extend<typename Config::Out2>(padded_rows, padded_columns, rows, columns);
  const int tiles_n = (padded_columns + kPatchTileColumns - 1) / kPatchTileColumns;
  row0 = static_cast<int>(blockIdx.x) / tiles_n * kPatchTileRows;
  column0 = static_cast<int>(blockIdx.x) % tiles_n * kPatchTileColumns;
}

template <class Config, class Body>
__device__ __forceinline__ void map_patch(const void *input, const float *scale, void *out0, void *out1, void *out2,
                                          int rows, int columns) {
  static_assert(Config::kScaleMode != 2, "a dynamic scale by row is the row family's, others are split off");
  __shared__ PatchNibbles nibbles;
  int row0, column0;
  patch_tile<Config>(row0, column0, rows, columns);
#pragma unroll 1
  for (int part = 0; part < 2; ++part) {
    const int row = row0 + 4 * (static_cast<int>(threadIdx.x) / 32 + 8 * part),
              column = column0 + 4 * (threadIdx.x % 32);
    Patch patch;
    load_patch<Config, Body>(patch, input, row, column, rows, columns);
    float quantized[4][4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        quantized[i][j] = patch.value[i][j];
        if constexpr (Config::kScaleMode == 1) {
          const int index = Config::kGranularity == 0   ? 0
                            : Config::kGranularity == 1 ? min(row + i, rows - 1)
                                                        : min(column + j, columns - 1);
          // Outside the matrix zero stays zero, whatever the scale is.
          if (row + i < rows && column + j < columns)
            quantized[i][j] = __fmul_rn(patch.value[i][j], reciprocal(scale[index]));
        }
      }
    store_patch<typename Config::Out0>(out0, patch, quantized, nibbles, row, column, rows, columns);
    store_patch<typename Config::Out1>(out1, patch, quantized, nibbles, row, column, rows, columns);
    store_patch<typename Config::Out2>(out2, patch, quantized, nibbles, row, column, rows, columns);
  }
  __syncthreads();
  store_metadata<typename Config::Out0>(out0, nibbles, row0, column0, rows, columns);
  store_metadata<typename Config::Out1>(out1, nibbles, row0, column0, rows, columns);
  store_metadata<typename Config::Out2>(out2, nibbles, row0, column0, rows, columns);
}

/// Dynamic scales of a mapped and selected matrix. `scale` holds magnitudes until the last CTA to finish (by `counter`)
/// turns them into scales; both start as zeros.
template <class Config, class Body>
__device__ __forceinline__ void scale_patch(const void *input, float *scale, u32 *counter, int rows, int columns) {
  u32 *amax = reinterpret_cast<u32 *>(scale);
  __shared__ u32 line[kPatchTileColumns]; // by row: 64 rows; by column: 128 columns; by tensor: one
  __shared__ bool last;
  constexpr int kLines = Config::kGranularity == 0 ? 1 : Config::kGranularity == 1 ? kPatchTileRows : kPatchTileColumns;
  const int tiles_n = (columns + kPatchTileColumns - 1) / kPatchTileColumns;
  const int row0 = static_cast<int>(blockIdx.x) / tiles_n * kPatchTileRows;
  const int column0 = static_cast<int>(blockIdx.x) % tiles_n * kPatchTileColumns;
  for (int i = threadIdx.x; i < kLines; i += blockDim.x)
    line[i] = 0;
  __syncthreads();
#pragma unroll 1
  for (int part = 0; part < 2; ++part) {
    const int tile_row = 4 * (static_cast<int>(threadIdx.x) / 32 + 8 * part), tile_column = 4 * (threadIdx.x % 32);
    Patch patch;
    load_patch<Config, Body>(patch, input, row0 + tile_row, column0 + tile_column, rows, columns);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      u32 largest = 0;
#pragma unroll
      for (int j = 0; j < 4; ++j)
        largest = max(largest, magnitude(Config::kGranularity == 2 ? patch.value[j][i] : patch.value[i][j]));
      atomicMax(&line[Config::kGranularity == 0   ? 0
                      : Config::kGranularity == 1 ? tile_row + i
                                                  : tile_column + i],
                largest);
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kLines; i += blockDim.x) {
    const int index = Config::kGranularity == 0 ? 0 : (Config::kGranularity == 1 ? row0 : column0) + i;
    if (index < (Config::kGranularity == 0 ? 1 : Config::kGranularity == 1 ? rows : columns))
      atomicMax(&amax[index], line[i]);
  }
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0)
    last = atomicAdd(counter, 1u) == gridDim.x - 1;
  __syncthreads();
  if (!last)
    return;
  __threadfence();
  const int count = Config::kGranularity == 0 ? 1 : Config::kGranularity == 1 ? rows : columns;
  for (int i = threadIdx.x; i < count; i += blockDim.x)
    scale[i] = scale_of<typename Config::Element>(ptx::load_relaxed(&amax[i]));
}

/// Adds to `counts`, for every column, how many elements of the mapped and selected matrix are not zero.
template <class Config, class Body>
__device__ __forceinline__ void count_patch(const void *input, u32 *counts, int rows, int columns) {
  __shared__ u32 line[kPatchTileColumns];
  const int tiles_n = (columns + kPatchTileColumns - 1) / kPatchTileColumns;
  const int row0 = static_cast<int>(blockIdx.x) / tiles_n * kPatchTileRows;
  const int column0 = static_cast<int>(blockIdx.x) % tiles_n * kPatchTileColumns;
  for (int i = threadIdx.x; i < kPatchTileColumns; i += blockDim.x)
    line[i] = 0;
  __syncthreads();
#pragma unroll 1
  for (int part = 0; part < 2; ++part) {
    const int tile_row = 4 * (static_cast<int>(threadIdx.x) / 32 + 8 * part), tile_column = 4 * (threadIdx.x % 32);
    Patch patch; // +0.0 outside of the matrix
    load_patch<Config, Body>(patch, input, row0 + tile_row, column0 + tile_column, rows, columns);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      u32 count = 0;
#pragma unroll
      for (int i = 0; i < 4; ++i)
        count += patch.value[i][j] != 0.0f; // NaN is not zero
      if (count != 0)
        atomicAdd(&line[tile_column + j], count);
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < kPatchTileColumns; i += blockDim.x)
    if (column0 + i < columns && line[i] != 0)
      atomicAdd(&counts[column0 + i], line[i]);
}

} // namespace winnow
