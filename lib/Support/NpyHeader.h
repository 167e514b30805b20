//===- NpyHeader.h - the Python dictionary at the head of a .npy file ---------------------------------------------===//

#ifndef WINNOW_LIB_SUPPORT_NPYHEADER_H
#define WINNOW_LIB_SUPPORT_NPYHEADER_H

#include "winnow/Support/Result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace winnow {

struct NpyHeader {
  std::string descr; ///< "<f4" and the like
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

/// Parses "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", keys in any order, each exactly once.
Result<NpyHeader> parseNpyHeader(std::string_view text);

} // namespace winnow

#endif // WINNOW_LIB_SUPPORT_NPYHEADER_H
