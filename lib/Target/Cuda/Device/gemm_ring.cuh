//===- gemm_ring.cuh - where somebody is in the ring of stages ----------------------------------------------------===//

namespace winnow {

/// A stage of the ring and the parity of the phase that is waited for there. The producer and every consumer go round by
/// themselves, through the same uses of the stages in the same order.
template <class Config> struct RingPosition {
  int stage = 0;
  u32 parity;

  /// A fresh ring is empty: with parity 1 the first wait on each empty barrier passes, with parity 0 consumers wait.
  __device__ __forceinline__ explicit RingPosition(u32 parity) : parity(parity) {}
  __device__ __forceinline__ void advance() {
    if (++stage == Config::kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
  /// Over uses that are somebody else's.
  __device__ __forceinline__ void skip(int uses) {
    const int behind = stage + uses;
    parity ^= behind / Config::kStages & 1;
    stage = behind % Config::kStages;
  }
};

} // namespace winnow
