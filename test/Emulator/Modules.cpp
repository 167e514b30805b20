//===- Modules.cpp - images of kernels, and kernels in them -------------------------------------------------------===//

#include "Modules.h"

#include "Multiprocessor.h"
#include "Scratch.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <unistd.h>

using namespace emulator;

namespace {
/// What a kernel may use without asking for more.
constexpr unsigned kUsualSharedBytes = 48 << 10;
constexpr size_t kMostImageBytes = 1 << 28;

/// The driver is not told how long an image is; the section headers end what the linker writes. 0 and why if it cannot
/// be one of the emulator's.
size_t imageBytes(const void *image, std::string &why) {
  Elf64_Ehdr header;
  std::memcpy(&header, image, SELFMAG);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return why = "the image is no ELF file", 0;
  std::memcpy(&header, image, sizeof(header));
  Elf64_Half machine = EM_X86_64;
#ifdef __aarch64__
  machine = EM_AARCH64;
#endif
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN || header.e_machine != machine)
    return why =
               "the image is for another machine (ELF machine " + std::to_string(header.e_machine) +
               "); the emulator runs kernels that its own NVRTC compiled: set WINNOW_NVRTC, and a kernel cache of its "
               "own",
           0;
  const size_t bytes = header.e_shoff + size_t{header.e_shnum} * header.e_shentsize;
  if (header.e_shoff > kMostImageBytes || bytes > kMostImageBytes)
    return why = "the image is damaged: its section headers lie beyond " + std::to_string(kMostImageBytes) + " bytes",
           0;
  return bytes;
}

/// A file that exists only while it is loaded.
class TemporaryFile {
public:
  TemporaryFile(const void *content, size_t bytes) {
    int file = ::mkstemp(name.data());
    isWritten = file >= 0 && ::write(file, content, bytes) == static_cast<ssize_t>(bytes);
    if (file >= 0)
      ::close(file);
  }
  ~TemporaryFile() { ::unlink(name.c_str()); }
  const char *path() const { return isWritten ? name.c_str() : nullptr; }

private:
  std::string name = scratchPattern();
  bool isWritten = false;
};
} // namespace

std::unique_ptr<Module> Module::load(const void *image, std::string &why) {
  const size_t bytes = imageBytes(image, why);
  if (bytes == 0)
    return nullptr;
  const TemporaryFile file(image, bytes);
  if (!file.path())
    return why = "cannot write the image to '" + scratchPattern() + "'", nullptr;
  void *library = ::dlopen(file.path(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return why = ::dlerror(), nullptr;
  std::unique_ptr<Module> module(new Module(library));
  auto *bind = reinterpret_cast<Bind *>(::dlsym(library, "emulator_bind"));
  if (!bind)
    return why = "the image is a library of the host, but not the emulator's", nullptr;
  bind(Multiprocessor::current);
  return module;
}

Module::~Module() { ::dlclose(library); }

LoadedFunction *Module::find(const char *name) {
  const void *kernel = ::dlsym(library, (std::string(name) + "_emulated").c_str());
  const void *cluster = ::dlsym(library, (std::string(name) + "_cluster").c_str());
  if (!kernel || !cluster)
    return nullptr;
  functions.push_back(std::make_unique<LoadedFunction>(LoadedFunction{
      *static_cast<const Kernel *>(kernel), *static_cast<const unsigned *>(cluster), name, kUsualSharedBytes}));
  return functions.back().get();
}
