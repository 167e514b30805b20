//===- ptx.cuh - one PTX instruction per function -----------------------------------------------------------------===//

namespace winnow::ptx {

__device__ __forceinline__ u32 shared_address(const void *pointer) {
  return static_cast<u32>(__cvta_generic_to_shared(pointer));
}

//===- Arithmetic and conversions (PTX ISA, "max", "min", "cvt") --------------------------------------------------===//

__device__ __forceinline__ float maximum(float a, float b) {
  float result;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
}
__device__ __forceinline__ float minimum(float a, float b) {
  float result;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
}
/// The same of both halves.
__device__ __forceinline__ u32 maximum_bf16x2(u32 a, u32 b) {
  u32 result;
  asm("max.NaN.bf16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
__device__ __forceinline__ u32 maximum_f16x2(u32 a, u32 b) {
  u32 result;
  asm("max.NaN.f16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
__device__ __forceinline__ u32 maximum_u16x2(u32 a, u32 b) {
  u32 result;
  asm("max.u16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
__device__ __forceinline__ u32 minimum_u16x2(u32 a, u32 b) {
  u32 result;
  asm("min.u16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
__device__ __forceinline__ u32 add_u16x2(u32 a, u32 b) {
  u32 result;
  asm("add.u16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
/// Signed halves: the larger; and the smaller, or 0 if that is negative (PTX ISA, "min").
__device__ __forceinline__ u32 maximum_s16x2(u32 a, u32 b) {
  u32 result;
  asm("max.s16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
__device__ __forceinline__ u32 minimum_relu_s16x2(u32 a, u32 b) {
  u32 result;
  asm("min.relu.s16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
/// 0xFFFF in each half where a >= b, or a > b; 0 elsewhere, also where either is NaN (PTX ISA, "set").
__device__ __forceinline__ u32 at_least_bf16x2(u32 a, u32 b) {
  u32 mask;
  asm("set.ge.u32.bf16x2 %0, %1, %2;" : "=r"(mask) : "r"(a), "r"(b));
  return mask;
}
__device__ __forceinline__ u32 above_bf16x2(u32 a, u32 b) {
  u32 mask;
  asm("set.gt.u32.bf16x2 %0, %1, %2;" : "=r"(mask) : "r"(a), "r"(b));
  return mask;
}
__device__ __forceinline__ u32 at_least_f16x2(u32 a, u32 b) {
  u32 mask;
  asm("set.ge.u32.f16x2 %0, %1, %2;" : "=r"(mask) : "r"(a), "r"(b));
  return mask;
}
__device__ __forceinline__ u32 above_f16x2(u32 a, u32 b) {
  u32 mask;
  asm("set.gt.u32.f16x2 %0, %1, %2;" : "=r"(mask) : "r"(a), "r"(b));
  return mask;
}
__device__ __forceinline__ u16 bf16_of(float value) {
  u16 bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
/// Pairs hold `low` in the low half.
__device__ __forceinline__ u32 bf16x2_of(float low, float high) {
  u32 bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
__device__ __forceinline__ u16 f16_of(float value) {
  u16 bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
__device__ __forceinline__ u32 f16x2_of(float low, float high) {
  u32 bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
__device__ __forceinline__ float of_f16(u16 bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}
__device__ __forceinline__ u16 e4m3x2_of(float low, float high) {
  u16 bits;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(bits) : "f"(high), "f"(low));
  return bits;
}
__device__ __forceinline__ u16 e5m2x2_of(float low, float high) {
  u16 bits;
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(bits) : "f"(high), "f"(low));
  return bits;
}
__device__ __forceinline__ u32 f16x2_of_e4m3x2(u16 bits) {
  u32 pair;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(pair) : "h"(bits));
  return pair;
}
/// The compiler must neither compute the pointer anew nor keep its parts apart.
template <class Pointee> __device__ __forceinline__ void keep(Pointee *&pointer) { asm("" : "+l"(pointer)); }
/// The front end computes the value before what follows; ptxas may still put that off.
__device__ __forceinline__ void keep(u32 &value) { asm volatile("" : "+r"(value)); }
/// The register holds `value` until here.
__device__ __forceinline__ void pin(u32 value) { asm volatile("" ::"r"(value)); }

//===- mbarrier (PTX ISA, "mbarrier") -----------------------------------------------------------------------------===//

__device__ __forceinline__ void mbarrier_init(u32 barrier, u32 arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals));
}
__device__ __forceinline__ void mbarrier_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void async_proxy_fence() { asm volatile("fence.proxy.async;" ::: "memory"); }
__device__ __forceinline__ void async_proxy_fence_shared() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void mbarrier_wait(u32 barrier, u32 parity) {
  asm volatile("{\n"
               ".reg .pred done;\n"
               "WAIT: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
               "@done bra READY;\n"
               "bra WAIT;\n"
               "READY:\n"
               "}" ::"r"(barrier),
               "r"(parity)
               : "memory");
}
__device__ __forceinline__ void mbarrier_arrive(u32 barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}
/// The same as `count` arrivals.
__device__ __forceinline__ void mbarrier_arrive(u32 barrier, u32 count) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(count) : "memory");
}
__device__ __forceinline__ void mbarrier_arrive_expect(u32 barrier, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

//===- Bulk copies (PTX ISA, "cp.async.bulk") ---------------------------------------------------------------------===//

__device__ __forceinline__ void bulk_load(u32 destination, const void *source, u32 bytes, u32 barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(destination),
      "l"(source), "r"(bytes), "r"(barrier)
      : "memory");
}
__device__ __forceinline__ void tensor_load_2d(u32 destination, const TensorMap *map, int x, int y, u32 barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(
          destination),
      "l"(map), "r"(barrier), "r"(x), "r"(y)
      : "memory");
}
__device__ __forceinline__ void tensor_load_5d(u32 destination, const TensorMap *map, int x, int group, u32 barrier) {
  asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], "
               "[%1, {%3, %5, %5, %5, %4}], [%2];" ::"r"(destination),
               "l"(map), "r"(barrier), "r"(x), "r"(group), "r"(0)
               : "memory");
}

/// The same, to the place and the barrier that lie in each CTA of `mask` (bit r: rank r of the cluster) where the
/// addresses lie in this one.
__device__ __forceinline__ void tensor_multicast_2d(u32 destination, const TensorMap *map, int x, int y, u32 barrier,
                                                    u16 mask) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
               "[%1, {%3, %4}], [%2], %5;" ::"r"(destination),
               "l"(map), "r"(barrier), "r"(x), "r"(y), "h"(mask)
               : "memory");
}
__device__ __forceinline__ void tensor_multicast_5d(u32 destination, const TensorMap *map, int x, int group,
                                                    u32 barrier, u16 mask) {
  asm volatile("cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
               "[%1, {%3, %5, %5, %5, %4}], [%2], %6;" ::"r"(destination),
               "l"(map), "r"(barrier), "r"(x), "r"(group), "r"(0), "h"(mask)
               : "memory");
}

/// From shared memory; rows and columns outside of the tensor are not written. Belongs to the thread's next group.
__device__ __forceinline__ void tensor_store_2d(const TensorMap *map, int x, int y, u32 source) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(map), "r"(source),
               "r"(x), "r"(y)
               : "memory");
}
__device__ __forceinline__ void bulk_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
/// Waits until all but the latest groups of this thread have read their shared memory.
template <int kPending> __device__ __forceinline__ void bulk_wait_read() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(kPending) : "memory");
}
__device__ __forceinline__ void bulk_wait_all() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }

//===- wgmma (PTX ISA, "Asynchronous warpgroup level matrix instructions") ----------------------------------------===//

__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int kPending> __device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
/// K-major operand of 128-byte rows with the 128-byte swizzle: stride between groups of eight rows 1024 bytes.
__device__ __forceinline__ u64 descriptor_swizzled(u32 address) {
  return static_cast<u64>((address & 0x3FFFF) >> 4) | (1ull << 16) | (static_cast<u64>(1024 >> 4) << 32) | (1ull << 62);
}
/// Packed 2:4 values without swizzle: leading offset (K direction) 1024 bytes, stride offset (M direction) 128 bytes.
__device__ __forceinline__ u64 descriptor_packed(u32 address) {
  return static_cast<u64>((address & 0x3FFFF) >> 4) | (static_cast<u64>(1024 >> 4) << 16) |
         (static_cast<u64>(128 >> 4) << 32);
}

template <int kCount> __device__ __forceinline__ void register_increase() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kCount));
}
template <int kCount> __device__ __forceinline__ void register_decrease() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kCount));
}

//===- Shared and global memory -----------------------------------------------------------------------------------===//

__device__ __forceinline__ float load_shared(u32 address) {
  float value;
  asm volatile("ld.shared.f32 %0, [%1];" : "=f"(value) : "r"(address) : "memory");
  return value;
}
__device__ __forceinline__ void load_shared(float (&value)[4], u32 address) {
  asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(value[0]), "=f"(value[1]), "=f"(value[2]), "=f"(value[3])
               : "r"(address));
}
__device__ __forceinline__ void load_shared(u32 (&value)[2], u32 address) {
  asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(value[0]), "=r"(value[1]) : "r"(address));
}
__device__ __forceinline__ void load_shared(u32 (&value)[1], u32 address) {
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(value[0]) : "r"(address));
}
__device__ __forceinline__ void store_shared(u32 address, float value) {
  asm volatile("st.shared.f32 [%0], %1;" ::"r"(address), "f"(value) : "memory");
}
__device__ __forceinline__ void store_shared(u32 address, u32 a, u32 b, u32 c, u32 d) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
}
/// Asynchronous copy of one word (PTX ISA, "cp.async"): scales arrive while the matrix product runs.
__device__ __forceinline__ void copy_word_async(u32 destination, const void *source) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(destination), "l"(source) : "memory");
}
__device__ __forceinline__ void copy_async_wait() { asm volatile("cp.async.wait_all;" ::: "memory"); }

/// Streaming stores: the result is not read again by this kernel.
__device__ __forceinline__ void store_streaming(void *pointer, u32 a, u32 b, u32 c, u32 d) {
  asm volatile("st.global.cs.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(pointer), "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
}
__device__ __forceinline__ void store_streaming(void *pointer, u32 a, u32 b) {
  asm volatile("st.global.cs.v2.b32 [%0], {%1, %2};" ::"l"(pointer), "r"(a), "r"(b) : "memory");
}

__device__ __forceinline__ void count_arrival(u32 *counter) {
  asm volatile("red.relaxed.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}
__device__ __forceinline__ u32 load_relaxed(const u32 *counter) {
  u32 value;
  asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(counter) : "memory");
  return value;
}

/// Counts in, after everything that this thread wrote or saw behind a barrier (PTX ISA, "fence", "red").
__device__ __forceinline__ void release_arrival(u32 *counter) {
  asm volatile("fence.acq_rel.gpu;\n red.relaxed.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}
__device__ __forceinline__ u32 load_acquire(const u32 *counter) {
  u32 value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(counter) : "memory");
  return value;
}
__device__ __forceinline__ void store_global(void *pointer, float a, float b, float c, float d) {
  asm volatile("st.global.cg.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(pointer), "f"(a), "f"(b), "f"(c), "f"(d) : "memory");
}
/// From L2: other multiprocessors have written it.
__device__ __forceinline__ void load_global(float (&value)[4], const void *pointer) {
  asm volatile("ld.global.cg.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(value[0]), "=f"(value[1]), "=f"(value[2]), "=f"(value[3])
               : "l"(pointer)
               : "memory");
}

/// At the barrier that lies in CTA `rank` of the cluster where `barrier` lies in this one.
__device__ __forceinline__ void mbarrier_arrive_cluster(u32 barrier, int rank) {
  asm volatile("{ .reg .b32 remote; mapa.shared::cluster.u32 remote, %0, %1; mbarrier.arrive.shared::cluster.b64 _, "
               "[remote]; }" ::"r"(barrier),
               "r"(rank)
               : "memory");
}

/// Cluster of CTAs (PTX ISA, "barrier.cluster", "mapa", "st.shared::cluster"). Every thread of the cluster arrives,
/// then waits; what was written before an arrival is visible behind the wait, unless the arrival was relaxed.
__device__ __forceinline__ void cluster_arrive() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_arrive_relaxed() {
  asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }
/// Writes the word that lies in CTA `rank` where `address` lies in this one.
__device__ __forceinline__ void store_cluster(u32 address, int rank, u32 value) {
  asm volatile(
      "{ .reg .b32 remote; mapa.shared::cluster.u32 remote, %0, %1; st.shared::cluster.u32 [remote], %2; }" ::"r"(
          address),
      "r"(rank), "r"(value)
      : "memory");
}

/// Waits until all launches before this one have ended and what they wrote can be read (PTX ISA, "griddepcontrol"). A
/// launch that was not allowed to overlap them passes at once.
__device__ __forceinline__ void wait_for_launches_before() { asm volatile("griddepcontrol.wait;" ::: "memory"); }
/// The next launch may begin once every CTA of this one has called this or ended.
__device__ __forceinline__ void let_next_launch_begin() {
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

/// Named barrier among `threads` threads of the CTA (PTX ISA, "bar.sync"); 0 is __syncthreads.
__device__ __forceinline__ void named_barrier(int index, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(index), "r"(threads) : "memory");
}

} // namespace winnow::ptx
