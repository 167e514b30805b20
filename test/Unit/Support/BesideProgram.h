//===- BesideProgram.h - files that lie where the test program lies -----------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_SUPPORT_BESIDEPROGRAM_H
#define WINNOW_TEST_UNIT_SUPPORT_BESIDEPROGRAM_H

#include <filesystem>
#include <string>

/// The path of a file in the folder of the running program: test programs and their stand-ins may be copied together to
/// a machine that has no build tree.
inline std::string besideProgram(const std::string &name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

#endif // WINNOW_TEST_UNIT_SUPPORT_BESIDEPROGRAM_H
