//===- ScratchFolder.h - a folder that goes with its test ---------------------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_SUPPORT_SCRATCHFOLDER_H
#define WINNOW_TEST_UNIT_SUPPORT_SCRATCHFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <sys/stat.h>

/// A new folder with access for its owner alone, removed with the object.
class ScratchFolder {
public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "winnow-test-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    ::chmod(folder.c_str(), 0700);
    std::filesystem::remove_all(folder, ignored);
  }

  const std::string &path() const { return folder; }

  /// Creates an empty file below the folder, and returns its path.
  std::string makeFile(const std::string &name, mode_t permissions = 0600) const {
    std::filesystem::path file = std::filesystem::path(folder) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file).flush();
    ::chmod(file.c_str(), permissions);
    return file.string();
  }

  /// The names in the folder.
  std::set<std::string> names() const {
    std::set<std::string> result;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
      result.insert(entry.path().filename().string());
    return result;
  }

private:
  std::string folder;
};

#endif // WINNOW_TEST_UNIT_SUPPORT_SCRATCHFOLDER_H
