//===- PreparedFolder.cpp - what winnow prepare writes ------------------------------------------------------------===//

#include "PreparedFolder.h"
#include "Tool.h"

#include "winnow/Support/BuildId.h"
#include "winnow/Support/File.h"
#include "winnow/Support/Npy.h"
#include "winnow/Support/Sha256.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>

using namespace winnow;
using namespace winnow::tool;

namespace fs = llvm::sys::fs;

static constexpr llvm::StringLiteral kManifest = "prepared.json", kFormat = "winnow prepared weights";
static constexpr int64_t kVersion = 1;

static std::string inFolder(llvm::StringRef folder, llvm::StringRef file) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, file);
  return path.str().str();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Reading
//===--------------------------------------------------------------------------------------------------------------===//

static bool parseFile(const llvm::json::Value *value, bool isTensor, PreparedFile &file) {
  const llvm::json::Object *object = value ? value->getAsObject() : nullptr;
  if (!object)
    return false;
  std::optional<llvm::StringRef> name = object->getString("file"), hash = object->getString("sha256");
  std::optional<int64_t> bytes = object->getInteger("bytes");
  // A manifest must not lead out of its folder.
  if (!name || name->empty() || llvm::sys::path::filename(*name) != *name || *name == ".." || *name == "." || !hash ||
      !bytes || *bytes < 0)
    return false;
  file.file = name->str();
  file.sha256 = hash->str();
  file.bytes = static_cast<uint64_t>(*bytes);
  if (!isTensor)
    return true;
  std::optional<llvm::StringRef> argument = object->getString("name"), type = object->getString("type");
  if (!argument || argument->empty() || !type)
    return false;
  file.name = argument->str();
  file.type = type->str();
  return true;
}

Result<PreparedFolder> PreparedFolder::open(llvm::StringRef path) {
  PreparedFolder folder;
  folder.path = path.str();
  std::string manifest = inFolder(path, kManifest);
  if (!fs::exists(manifest))
    return Error{"'" + path.str() + "' holds no " + kManifest.str() +
                 ": expected a folder that 'winnow prepare' has written"};
  Result<std::string> text = readWhole(manifest);
  if (!text)
    return text.error();
  auto damaged = [&](const std::string &reason) {
    return Error{"'" + manifest + "' is damaged: " + reason + "; run 'winnow prepare' again"};
  };
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(*text);
  if (!value)
    return damaged(llvm::toString(value.takeError()));
  const llvm::json::Object *root = value->getAsObject();
  if (!root || root->getString("format") != kFormat)
    return damaged("expected an object with the format '" + kFormat.str() + "'");
  std::optional<int64_t> version = root->getInteger("version");
  if (!version)
    return damaged("expected a version");
  std::optional<llvm::StringRef> build = root->getString("build"), entry = root->getString("entry");
  folder.build = build.value_or("").str();
  if (*version != kVersion)
    return Error{"'" + path.str() + "' has version " + std::to_string(*version) + " of the format" +
                 (folder.build.empty() ? "" : ", written by winnow " + folder.build) + "; this winnow reads version " +
                 std::to_string(kVersion) + ": run 'winnow prepare' again"};
  const llvm::json::Array *tensors = root->getArray("tensors");
  if (!build || !entry || !tensors || !parseFile(root->get("spec"), /*isTensor=*/false, folder.spec))
    return damaged("expected build, entry, spec and tensors");
  folder.entry = entry->str();
  for (const llvm::json::Value &tensor : *tensors)
    if (!parseFile(&tensor, /*isTensor=*/true, folder.tensors.emplace_back()))
      return damaged("expected name, type, file, bytes and sha256 of tensor " +
                     std::to_string(folder.tensors.size() - 1));
  return folder;
}

/// The contents of a file of the folder, if they are what the manifest says.
static Result<std::vector<uint8_t>> readVerified(const PreparedFolder &folder, const PreparedFile &file) {
  std::string path = inFolder(folder.path, file.file);
  Result<std::vector<uint8_t>> bytes = readFile(path);
  if (!bytes)
    return bytes;
  std::string expected, got;
  if (bytes->size() != file.bytes) {
    expected = std::to_string(file.bytes) + " bytes";
    got = std::to_string(bytes->size());
  } else if (std::string hash = toHex(Sha256::hash(bytes->data(), bytes->size())); hash != file.sha256) {
    expected = "sha256 " + file.sha256;
    got = hash;
  } else {
    return bytes;
  }
  return Error{"'" + path + "' is not what 'winnow prepare' has written: expected " + expected + ", got " + got +
               "; run 'winnow prepare' again"};
}

Result<std::string> PreparedFolder::readSpec() const {
  Result<std::vector<uint8_t>> bytes = readVerified(*this, spec);
  if (!bytes)
    return bytes.error();
  return std::string(bytes->begin(), bytes->end());
}

Status PreparedFolder::verify(ProgressLine &progress) const {
  for (auto [index, tensor] : llvm::enumerate(tensors)) {
    progress.show("verifying " + tensor.file, index, tensors.size());
    if (Result<std::vector<uint8_t>> bytes = readVerified(*this, tensor); !bytes)
      return bytes.error();
  }
  progress.clear();
  return {};
}

std::vector<std::string> PreparedFolder::inputs() const {
  std::vector<std::string> inputs;
  for (const PreparedFile &tensor : tensors)
    inputs.push_back(tensor.name + "=" + inFolder(path, tensor.file));
  return inputs;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Writing
//===--------------------------------------------------------------------------------------------------------------===//

Status tool::checkPreparedTarget(llvm::StringRef path, bool replace) {
  if (!fs::exists(path))
    return {};
  if (!replace)
    return Error{"'" + path.str() + "' exists already: give another folder with -o, or --force to replace what " +
                 "'winnow prepare' has written there"};
  if (!fs::is_directory(path))
    return Error{"cannot replace '" + path.str() +
                 "': expected a folder that 'winnow prepare' has written, got a file"};
  Result<PreparedFolder> old = PreparedFolder::open(path);
  if (!old)
    return Error{"cannot replace '" + path.str() + "': " + old.message()};
  std::error_code code;
  for (fs::directory_iterator entry(path, code), end; entry != end && !code; entry.increment(code)) {
    llvm::StringRef name = llvm::sys::path::filename(entry->path());
    bool known = name == kManifest || name == old->spec.file ||
                 llvm::any_of(old->tensors, [&](const PreparedFile &tensor) { return tensor.file == name; });
    if (!known)
      return Error{"cannot replace '" + path.str() + "': it also holds '" + name.str() +
                   "', which 'winnow prepare' has not written; move that away, or give another folder"};
  }
  if (code)
    return Error{"cannot read the folder '" + path.str() + "': " + code.message()};
  return {};
}

namespace {
/// A folder with a hidden name, removed with its files on the way out.
class TemporaryFolder {
public:
  ~TemporaryFolder() {
    if (!path.empty())
      fs::remove_directories(path);
  }
  Status create(llvm::StringRef parent) {
    path = inFolder(parent, ".winnow-XXXXXX");
    if (!::mkdtemp(path.data())) {
      int error = errno;
      path.clear();
      return Error{"cannot create a folder in '" + parent.str() + "': " + systemMessage(error)};
    }
    ::chmod(path.c_str(), 0777 & ~fs::getUmask());
    return {};
  }

  std::string path;
};
} // namespace

/// Gives the complete folder its name. Where `replace`, what was there has the temporary name afterwards.
static Status publish(TemporaryFolder &folder, const std::string &path, bool replace) {
  bool exchange = replace && fs::exists(path);
  if (::renameat2(AT_FDCWD, folder.path.c_str(), AT_FDCWD, path.c_str(),
                  exchange ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0) {
    int error = errno;
    // File systems without these two: a folder takes the place of none, or of an empty one.
    bool unknown = error == EINVAL || error == ENOSYS;
    if (unknown && exchange)
      return Error{"cannot replace '" + path + "' at once on this file system: give another folder"};
    if (!unknown || fs::exists(path) || ::rename(folder.path.c_str(), path.c_str()) != 0)
      return Error{"cannot name '" + path + "': " + systemMessage(error)};
  }
  if (!exchange)
    folder.path.clear();
  return {};
}

static void writeFileFields(llvm::json::OStream &json, const PreparedFile &file) {
  json.attribute("file", file.file);
  json.attribute("bytes", static_cast<int64_t>(file.bytes));
  json.attribute("sha256", file.sha256);
}

static std::string formatManifest(const PreparedFolder &folder) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("format", kFormat);
    json.attribute("version", kVersion);
    json.attribute("build", folder.build);
    json.attribute("entry", folder.entry);
    json.attributeObject("spec", [&] { writeFileFields(json, folder.spec); });
    json.attributeArray("tensors", [&] {
      for (const PreparedFile &tensor : folder.tensors)
        json.object([&] {
          json.attribute("name", tensor.name);
          json.attribute("type", tensor.type);
          writeFileFields(json, tensor);
        });
    });
  });
  os << "\n";
  return text;
}

Status tool::writePreparedFolder(llvm::StringRef target, bool replace, const PreparedContents &contents,
                                 ProgressLine &progress) {
  llvm::SmallString<128> path(target);
  while (path.size() > 1 && llvm::sys::path::is_separator(path.back()))
    path.pop_back();
  if (llvm::SmallString<128> real; fs::exists(path) && !fs::real_path(path, real))
    path = real; // What a link leads to is replaced, not the link.
  llvm::StringRef parent = llvm::sys::path::parent_path(path);
  if (parent.empty())
    parent = ".";
  if (std::error_code code = fs::create_directories(parent))
    return Error{"could not create the folder '" + parent.str() + "': " + code.message()};
  TemporaryFolder temporary;
  if (Status status = temporary.create(parent); !status)
    return status;

  PreparedFolder folder;
  folder.build = buildId();
  folder.entry = contents.entry;
  auto write = [&](PreparedFile &file, const void *data, size_t size) -> Status {
    file.bytes = size;
    file.sha256 = toHex(Sha256::hash(data, size));
    return writeWhole(inFolder(temporary.path, file.file), {static_cast<const char *>(data), size});
  };
  folder.spec.file = contents.specFile;
  if (Status status = write(folder.spec, contents.specText.data(), contents.specText.size()); !status)
    return status;
  for (auto [index, name, tensor] : llvm::enumerate(contents.names, contents.tensors)) {
    progress.show("writing " + name, index, contents.names.size());
    PreparedFile &file = folder.tensors.emplace_back();
    file.name = name;
    file.type = interp::typeText(tensor);
    file.file = name + ".npy";
    std::vector<uint8_t> bytes = formatNpy(tensor.element(), tensor.shape(), tensor.bytes());
    if (Status status = write(file, bytes.data(), bytes.size()); !status)
      return status;
  }
  progress.clear();
  if (Status status = writeWhole(inFolder(temporary.path, kManifest), formatManifest(folder)); !status)
    return status;
  if (Status status = checkPreparedTarget(path, replace); !status)
    return status;
  return publish(temporary, path.str().str(), replace);
}
