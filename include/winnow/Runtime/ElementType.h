//===- ElementType.h - element types of buffers ---------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_ELEMENTTYPE_H
#define WINNOW_RUNTIME_ELEMENTTYPE_H

#include <cstdint>

namespace winnow::rt {

enum class ElementType : uint8_t { f32, bf16, f16, f8e4m3, f8e5m2, i1, i32, u8 };

/// Bytes of one element in memory (i1: 1).
inline int64_t elementBytes(ElementType element) {
  switch (element) {
  case ElementType::f32:
  case ElementType::i32:
    return 4;
  case ElementType::bf16:
  case ElementType::f16:
    return 2;
  case ElementType::f8e4m3:
  case ElementType::f8e5m2:
  case ElementType::i1:
  case ElementType::u8:
    return 1;
  }
  return 1;
}

/// As MLIR writes it: "bf16", "f8E4M3FN", "ui8".
inline const char *elementName(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return "f32";
  case ElementType::bf16:
    return "bf16";
  case ElementType::f16:
    return "f16";
  case ElementType::f8e4m3:
    return "f8E4M3FN";
  case ElementType::f8e5m2:
    return "f8E5M2";
  case ElementType::i1:
    return "i1";
  case ElementType::i32:
    return "i32";
  case ElementType::u8:
    return "ui8";
  }
  return "unknown";
}

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_ELEMENTTYPE_H
