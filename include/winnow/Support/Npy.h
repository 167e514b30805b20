//===- Npy.h - reading and writing NumPy's .npy files -------------------------------------------------------------===//
//
// The format is NumPy's (numpy.lib.format, versions 1 and 2). Element types that NumPy does not have are stored as raw
// bytes of the same width: bf16 as <u2, f8 as |u1; files that ml_dtypes wrote ('<V2', '|V1', or its own names) are
// read.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_NPY_H
#define WINNOW_SUPPORT_NPY_H

#include "winnow/Runtime/Plan.h"
#include "winnow/Support/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace winnow {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t>
      bytes; ///< row-major, little endian, in the storage format of the element type; i1 a byte, 0 or 1
};

/// Parses a whole .npy file that must hold elements of type `element` and the extents `shape`, -1 standing for any.
/// f32 is also taken from f64 files where every value is representable; i1 from bool, or from i1 and u1 holding 0
/// and 1. `name` is what messages call the file.
Result<NpyArray> parseNpy(const std::vector<uint8_t> &file, const std::string &name, rt::ElementType element,
                          const std::vector<int64_t> &shape);

/// Reads and parses the file at `path`.
Result<NpyArray> readNpy(const std::string &path, rt::ElementType element, const std::vector<int64_t> &shape);

/// The bytes of a version 1 file with the array. `bytes` as in NpyArray.
std::vector<uint8_t> formatNpy(rt::ElementType element, const std::vector<int64_t> &shape,
                               const std::vector<uint8_t> &bytes);

/// Publishes the file at `path` whole (Support/File.h).
Status writeNpy(const std::string &path, rt::ElementType element, const std::vector<int64_t> &shape,
                const std::vector<uint8_t> &bytes);

} // namespace winnow

#endif // WINNOW_SUPPORT_NPY_H
