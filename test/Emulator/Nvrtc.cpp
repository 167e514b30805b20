//===- Nvrtc.cpp - an NVRTC that compiles for this machine --------------------------------------------------------===//
//
// Stands in for libnvrtc: the source of a kernel, translated, becomes a shared library of the host. "PTX" is the C++
// that was compiled.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Scratch.h"
#include "Translate.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace emulator;

namespace {

enum Code { kSuccess = 0, kOutOfMemory = 1, kCompilation = 6 };

struct Program {
  std::string source, translated, image, log;
};

/// Removes its folder of a few files.
class WorkFolder {
public:
  WorkFolder() {
    if (!::mkdtemp(path.data()))
      throw std::runtime_error("cannot make a folder '" + path + "'");
  }
  ~WorkFolder() {
    for (const char *name : {"kernel.cpp", "kernel.so", "log"})
      ::unlink(file(name).c_str());
    ::rmdir(path.c_str());
  }
  std::string file(const std::string &name) const { return path + "/" + name; }

private:
  std::string path = emulator::scratchPattern();
};

/// Arithmetic as written, and a trap where an array is left or an address is no multiple of what is read there.
const std::vector<std::string> &compilerOptions() {
  static const std::vector<std::string> options = {
      "-std=c++17", "-O1",   "-ffp-contract=off",           "-fno-math-errno",    "-shared",
      "-w",         "-fPIC", "-fsanitize=alignment,bounds", "-fsanitize-trap=all"};
  return options;
}

/// Runs the compiler. Appends what it says to `log`.
bool runCompiler(const WorkFolder &folder, std::string &log) {
  const std::string compiler = WINNOW_EMULATOR_COMPILER, logFile = folder.file("log");
  std::vector<std::string> command = {compiler};
  command.insert(command.end(), compilerOptions().begin(), compilerOptions().end());
  command.insert(command.end(), {"-o", folder.file("kernel.so"), folder.file("kernel.cpp")});
  std::vector<char *> arguments;
  for (std::string &argument : command)
    arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 2, logFile.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, compiler.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed) {
    log += "cannot run '" + compiler + "', which the emulator was built with: " + std::strerror(failed);
    return false;
  }
  int status = 1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  log += readFile(logFile);
  if (WIFSIGNALED(status))
    log += "'" + compiler + "' was ended by signal " + std::to_string(WTERMSIG(status));
  return status == 0;
}

bool compile(Program &program) {
  program.translated = translateKernel(program.source);
  const WorkFolder folder;
  if (!(std::ofstream(folder.file("kernel.cpp")) << program.translated).flush())
    throw std::runtime_error("cannot write the kernel to '" + folder.file("kernel.cpp") + "'");
  if (!runCompiler(folder, program.log))
    return false;
  program.image = readFile(folder.file("kernel.so"));
  return true;
}

/// Kernel caches tell compilers apart by their version: this one's is different for every version of the emulator and
/// every mutation.
int minorVersion() {
  std::string text = WINNOW_EMULATOR_COMPILER;
  for (const std::string &option : compilerOptions())
    text += option;
  for (const char *file : {"Gpu.h", "Nvrtc.cpp", "Prelude.h", "Ptx.h", "Translate.cpp"})
    text += readFile(std::string(WINNOW_EMULATOR_FOLDER "/") + file);
  for (const char *variable : {"WINNOW_EMULATOR_REPLACE", "WINNOW_EMULATOR_WITH"})
    if (const char *value = std::getenv(variable))
      text += std::string(1, '\n') + value;
  uint32_t hash = 2166136261; // FNV-1a
  for (unsigned char byte : text)
    hash = (hash ^ byte) * 16777619;
  return static_cast<int>(1000 + hash % 1000000000);
}

} // namespace

extern "C" {

const char *nvrtcGetErrorString(int code) { return code == kCompilation ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR"; }
int nvrtcVersion(int *major, int *minor) { return *major = 13, *minor = minorVersion(), kSuccess; }
int nvrtcCreateProgram(void **program, const char *source, const char *, int, const char *const *,
                       const char *const *) {
  return *program = new Program{source, "", "", ""}, kSuccess;
}
int nvrtcDestroyProgram(void **program) { return delete static_cast<Program *>(*program), kSuccess; }
int nvrtcCompileProgram(void *program, int, const char *const *) {
  try {
    return compile(*static_cast<Program *>(program)) ? kSuccess : kCompilation;
  } catch (const std::exception &error) {
    static_cast<Program *>(program)->log += error.what();
    return kCompilation;
  }
}

#define TEXT(name, field, terminator)                                                                                  \
  int nvrtcGet##name##Size(void *program, size_t *size) {                                                              \
    return *size = static_cast<Program *>(program)->field.size() + terminator, kSuccess;                               \
  }                                                                                                                    \
  int nvrtcGet##name(void *program, char *text) {                                                                      \
    const std::string &whole = static_cast<Program *>(program)->field;                                                 \
    return std::memcpy(text, whole.c_str(), whole.size() + terminator), kSuccess;                                      \
  }
TEXT(PTX, translated, 1)
TEXT(ProgramLog, log, 1)
TEXT(CUBIN, image, 0)

} // extern "C"
