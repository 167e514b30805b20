//===- Nvrtc.cpp - CUDA C++ to PTX and machine code ---------------------------------------------------------------===//

#include "winnow/Jit/Nvrtc.h"

#include "winnow/Support/SharedLibrary.h"

#include <fmt/format.h>

#include <algorithm>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace winnow;
using namespace winnow::jit;

/// nvrtcResult, nvrtcProgram.
using Code = int32_t;
using Program = void *;

/// Every entry point that Winnow uses: X(name, parameters).
#define WINNOW_NVRTC_ENTRY_POINTS(X)                                                                                   \
  X(nvrtcVersion, (int *major, int *minor))                                                                            \
  X(nvrtcCreateProgram, (Program * program, const char *source, const char *name, int headerCount,                     \
                         const char *const *headers, const char *const *headerNames))                                  \
  X(nvrtcDestroyProgram, (Program * program))                                                                          \
  X(nvrtcCompileProgram, (Program program, int optionCount, const char *const *options))                               \
  X(nvrtcGetPTXSize, (Program program, size_t *size))                                                                  \
  X(nvrtcGetPTX, (Program program, char *text))                                                                        \
  X(nvrtcGetCUBINSize, (Program program, size_t *size))                                                                \
  X(nvrtcGetCUBIN, (Program program, char *bytes))                                                                     \
  X(nvrtcGetProgramLogSize, (Program program, size_t *size))                                                           \
  X(nvrtcGetProgramLog, (Program program, char *text))

struct Nvrtc::EntryPoints {
#define WINNOW_DECLARE_ENTRY_POINT(name, parameters) Code(*name) parameters = nullptr;
  WINNOW_NVRTC_ENTRY_POINTS(WINNOW_DECLARE_ENTRY_POINT)
#undef WINNOW_DECLARE_ENTRY_POINT
  const char *(*nvrtcGetErrorString)(Code) = nullptr;

  Error error(Code code, const std::string &action) const {
    const char *text = nvrtcGetErrorString(code);
    return Error{fmt::format("cannot {}: {} ({})", action, text ? text : "unknown NVRTC error", code)};
  }
};

//===--------------------------------------------------------------------------------------------------------------===//
// Finding the library
//===--------------------------------------------------------------------------------------------------------------===//

/// Appends what matches the pattern, in descending order (newest version first), or the pattern.
static void appendMatches(const std::string &pattern, std::vector<std::string> &paths) {
  glob_t found = {};
  std::vector<std::string> matches;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    matches.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (matches.empty())
    matches.push_back(pattern);
  paths.insert(paths.end(), matches.rbegin(), matches.rend());
}

/// The folder above that of the first python3 on the search path, or nothing.
static std::string pythonPrefix(const std::string &searchPath) {
  for (size_t begin = 0; begin < searchPath.size();) {
    size_t end = std::min(searchPath.find(':', begin), searchPath.size());
    std::string folder = searchPath.substr(begin, end - begin);
    begin = end + 1;
    if (!folder.empty() && folder.front() == '/' && ::access((folder + "/python3").c_str(), X_OK) == 0)
      return folder.substr(0, folder.rfind('/'));
  }
  return "";
}

std::vector<std::string> Nvrtc::candidates(const Environment &environment) {
  // What the user names is what is used, or an error: not silently another version.
  if (!environment.nvrtc.empty())
    return {environment.nvrtc};
  std::vector<std::string> paths = {"libnvrtc.so.13", "libnvrtc.so.12"};
  for (const std::string &toolkit : {environment.cudaHome, std::string("/usr/local/cuda")})
    if (!toolkit.empty())
      appendMatches(toolkit + "/lib64/libnvrtc.so.1[23]", paths);

  std::vector<std::string> packages;
  if (!environment.virtualEnv.empty())
    packages.push_back(environment.virtualEnv + "/lib/python3*/site-packages");
  if (std::string prefix = pythonPrefix(environment.path); !prefix.empty())
    packages.push_back(prefix + "/lib/python3*/site-packages");
  if (!environment.home.empty())
    packages.push_back(environment.home + "/.local/lib/python3*/site-packages");
  packages.push_back("/usr/local/lib/python3*/dist-packages");
  for (const std::string &package : packages)
    appendMatches(package + "/nvidia/*/lib/libnvrtc.so.1[23]", paths);

  std::vector<std::string> unique;
  for (std::string &path : paths)
    if (std::find(unique.begin(), unique.end(), path) == unique.end())
      unique.push_back(std::move(path));
  return unique;
}

/// Which file a path leads to; "-" if none.
static std::string fileIdentity(const std::string &path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0)
    return "-";
  return fmt::format("{} {} {} {}.{}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

std::string Nvrtc::fingerprint(const Environment &environment) {
  std::string text = "ld.so.cache: " + fileIdentity("/etc/ld.so.cache") + "\n";
  for (const std::string &candidate : candidates(environment)) {
    text += candidate + ": ";
    if (candidate.find('/') != std::string::npos) {
      text += fileIdentity(candidate);
    } else { // the dynamic linker's choice: LD_LIBRARY_PATH, then its list
      const std::string &folders = environment.ldLibraryPath;
      for (size_t begin = 0; begin < folders.size();) {
        size_t end = std::min(folders.find_first_of(":;", begin), folders.size());
        text += fileIdentity(folders.substr(begin, end - begin) + "/" + candidate) + ", ";
        begin = end + 1;
      }
    }
    text += "\n";
  }
  return text;
}

Result<std::shared_ptr<const Nvrtc>> Nvrtc::load(const std::vector<std::string> &candidates) {
  Result<SharedLibrary> library = SharedLibrary::openFirst(candidates, "NVRTC");
  if (!library)
    return Error{library.message() +
                 "\ninstall the CUDA toolkit or the pip package nvidia-cuda-nvrtc, or set WINNOW_NVRTC to its path"};
  auto entryPoints = std::make_shared<EntryPoints>();
  std::string missing;
  auto find = [&](const char *name) {
    void *symbol = library->find(name);
    if (!symbol)
      missing += (missing.empty() ? "" : ", ") + std::string(name);
    return symbol;
  };
#define WINNOW_FIND_ENTRY_POINT(name, parameters) entryPoints->name = reinterpret_cast<Code(*) parameters>(find(#name));
  WINNOW_NVRTC_ENTRY_POINTS(WINNOW_FIND_ENTRY_POINT)
#undef WINNOW_FIND_ENTRY_POINT
  entryPoints->nvrtcGetErrorString = reinterpret_cast<const char *(*)(Code)>(find("nvrtcGetErrorString"));
  std::string path = library->path();
  if (!missing.empty())
    return Error{fmt::format("NVRTC '{}' lacks {}; expected NVRTC of CUDA 12 or 13", path, missing)};

  int major = 0, minor = 0;
  if (Code code = entryPoints->nvrtcVersion(&major, &minor))
    return entryPoints->error(code, fmt::format("ask NVRTC '{}' for its version", path));
  if (major < 12)
    return Error{fmt::format("NVRTC '{}' is too old: expected version 12.0 or later, got {}.{}", path, major, minor)};
  std::shared_ptr<Nvrtc> nvrtc(new Nvrtc());
  nvrtc->entryPoints = std::move(entryPoints);
  nvrtc->openedLibrary = std::move(path);
  nvrtc->majorVersion = major;
  nvrtc->minorVersion = minor;
  nvrtc->versionText = fmt::format("{}.{}", major, minor);
  return std::shared_ptr<const Nvrtc>(std::move(nvrtc));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Compiling
//===--------------------------------------------------------------------------------------------------------------===//

std::vector<std::string> Nvrtc::baseOptions(const std::string &target) const {
  std::vector<std::string> options = {"--gpu-architecture=" + target, "--std=c++17", "--ptxas-options=-v"};
  // Without textures and the runtime's types, of which kernels use none: some per cent of a compilation.
  if (std::make_pair(majorVersion, minorVersion) >= std::make_pair(12, 4))
    options.push_back("--minimal");
  // From 12.9 on NVRTC keeps what it compiles in the driver's folder, where nothing verifies it. What it takes from
  // there has no log, and so hides spills. Winnow has a cache of its own.
  if (std::make_pair(majorVersion, minorVersion) >= std::make_pair(12, 9))
    options.push_back("--no-cache");
  return options;
}

Result<CompiledImage> Nvrtc::compile(const std::string &source, const std::string &name, const std::string &target,
                                     const std::vector<std::string> &extraOptions) const {
  const EntryPoints &nvrtc = *entryPoints;
  std::string action = fmt::format("compile '{}' for {}", name, target);
  Program program = nullptr;
  if (Code code = nvrtc.nvrtcCreateProgram(&program, source.c_str(), name.c_str(), 0, nullptr, nullptr))
    return nvrtc.error(code, action);
  auto destroy = [&nvrtc](void *program) { nvrtc.nvrtcDestroyProgram(&program); };
  std::unique_ptr<void, decltype(destroy)> owner(program, destroy);

  std::vector<std::string> options = baseOptions(target);
  options.insert(options.end(), extraOptions.begin(), extraOptions.end());
  std::vector<const char *> pointers;
  for (const std::string &option : options)
    pointers.push_back(option.c_str());
  Code compiled = nvrtc.nvrtcCompileProgram(program, static_cast<int>(pointers.size()), pointers.data());

  CompiledImage image;
  // Sizes of text count a final NUL.
  auto fetchText = [&](auto getSize, auto get, std::string &text) {
    size_t size = 0;
    if (Code code = getSize(program, &size))
      return code;
    text.resize(size);
    Code code = size > 0 ? get(program, text.data()) : 0;
    text.resize(std::min(text.find('\0'), text.size()));
    return code;
  };
  Code logged = fetchText(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, image.log);
  if (compiled) {
    Error error = nvrtc.error(compiled, action);
    if (!image.log.empty())
      error.message += "\n" + image.log;
    return error;
  }
  if (logged)
    return nvrtc.error(logged, action + " and read its log");
  if (Code code = fetchText(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, image.ptx))
    return nvrtc.error(code, action + " and read its PTX");
  size_t size = 0;
  if (Code code = nvrtc.nvrtcGetCUBINSize(program, &size))
    return nvrtc.error(code, action + " and read its machine code");
  image.cubin.resize(size);
  if (size == 0)
    return Error{fmt::format("cannot {}: NVRTC gave no machine code; expected a target such as sm_90a", action)};
  if (Code code = nvrtc.nvrtcGetCUBIN(program, reinterpret_cast<char *>(image.cubin.data())))
    return nvrtc.error(code, action + " and read its machine code");
  return image;
}
