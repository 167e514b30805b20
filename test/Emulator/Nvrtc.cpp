//===- Nvrtc.cpp - an NVRTC that compiles for this machine --------------------------------------------------------===//
//
// Stands in for libnvrtc: the source of a kernel becomes a shared library of the host, with Prelude.h in front, Ptx.h in
// place of the device library's ptx.cuh and a call of the emulator in place of the matrix instruction. "PTX" is the C++
// that was compiled.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <regex>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

enum Code { kSuccess = 0, kOutOfMemory = 1, kCompilation = 6 };

struct Program {
  std::string source, translated, image, log;
};

std::string readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string replaceBetween(const std::string &text, const std::string &begin, const std::string &end,
                           const std::string &replacement) {
  size_t from = text.find(begin);
  size_t to = from == std::string::npos ? from : text.find(end, from);
  if (to == std::string::npos)
    throw std::runtime_error("the source has no '" + begin + "' that ends in '" + end + "'");
  return text.substr(0, from) + replacement + text.substr(to + end.size());
}

/// The wrapper of the matrix instruction, from the mnemonic in its assembly.
std::string translateInstruction(const std::string &text) {
  static const std::regex mnemonic(
      R"(wgmma\.mma_async(\.sp)?\.sync\.aligned\.m64n(\d+)k\d+\.f32\.(e4m3|e5m2|bf16|f16)\.(e4m3|e5m2|bf16|f16))");
  std::smatch match;
  if (!std::regex_search(text, match, mnemonic))
    return text;
  const bool sparse = match[1].matched;
  const std::string n = match[2];
  std::string wrapper = "struct Instruction {\n"
                        "  static constexpr int kN = " + n + ";\n" +
                        (sparse ? "  template <int kSelector>\n" : "") + "  static void issue(float (&d)[" + n +
                        " / 2], unsigned long long a, unsigned long long b, " +
                        (sparse ? "unsigned metadata, " : "") + "int scale_d) {\n"
                        "    emulator::gpu().matrixOperation({d, a, b, " +
                        (sparse ? "metadata, kSelector" : "0, -1") + ", " + n + ", \"" + match[3].str() + "\", \"" +
                        match[4].str() + "\", scale_d != 0});\n  }\n};\n";
  return replaceBetween(text, "struct Instruction {\n", "\n};\n", wrapper);
}

/// A mutation, for tests of the emulator: WINNOW_EMULATOR_REPLACE becomes WINNOW_EMULATOR_WITH wherever it occurs.
std::string mutate(std::string text) {
  const char *from = std::getenv("WINNOW_EMULATOR_REPLACE"), *to = std::getenv("WINNOW_EMULATOR_WITH");
  if (!from || !to || !*from)
    return text;
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += std::strlen(to))
    text.replace(at, std::strlen(from), to);
  return text;
}

std::string translate(std::string text) {
  text = mutate(std::move(text));
  text = replaceBetween(text, "namespace winnow::ptx {", "} // namespace winnow::ptx",
                        readFile(WINNOW_EMULATOR_FOLDER "/Ptx.h"));
  const std::string dynamic = "extern __shared__ __align__(1024) u8 shared[];";
  if (size_t at = text.find(dynamic); at != std::string::npos)
    text.replace(at, dynamic.size(), "u8 *const shared = reinterpret_cast<u8 *>(emulator::gpu().dynamicShared());");
  text = translateInstruction(text);

  static const std::regex entry(R"(extern "C" __global__ void (.*) (\w+)\()");
  static const std::regex clusterSize(R"(__cluster_dims__\((\d+), 1, 1\))");
  std::string exports;
  for (std::sregex_iterator it(text.begin(), text.end(), entry), end; it != end; ++it) {
    const std::string attributes = (*it)[1], name = (*it)[2];
    std::smatch cluster;
    exports += "extern \"C\" const emulator::Kernel " + name + "_emulated = emulator::KernelOf<" + name +
               ">::kernel;\nextern \"C\" const unsigned " + name + "_cluster = " +
               (std::regex_search(attributes, cluster, clusterSize) ? cluster[1].str() : "1") + ";\n";
  }
  if (exports.empty())
    throw std::runtime_error("the source has no entry");
  return "#include \"" WINNOW_EMULATOR_FOLDER "/Prelude.h\"\n" + text + exports;
}

/// Removes its folder of a few files.
class WorkFolder {
public:
  WorkFolder() {
    if (!::mkdtemp(path))
      throw std::runtime_error("cannot make a folder in /tmp");
  }
  ~WorkFolder() {
    for (const char *name : {"kernel.cpp", "kernel.so", "log"})
      ::unlink(file(name).c_str());
    ::rmdir(path);
  }
  std::string file(const std::string &name) const { return std::string(path) + "/" + name; }

private:
  char path[32] = "/tmp/winnow-emulator-XXXXXX";
};

bool compile(Program &program) {
  program.translated = translate(program.source);
  WorkFolder folder;
  std::ofstream(folder.file("kernel.cpp")) << program.translated;
  std::vector<std::string> command = {WINNOW_EMULATOR_COMPILER, "-std=c++17", "-O1", "-ffp-contract=off",
                                      "-fno-math-errno", "-shared", "-fPIC", "-w", "-o", folder.file("kernel.so"),
                                      folder.file("kernel.cpp")};
  std::vector<char *> arguments;
  for (std::string &argument : command)
    arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const std::string log = folder.file("log");
  ::posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  int failed = ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ), status = 1;
  ::posix_spawn_file_actions_destroy(&actions);
  if (!failed)
    ::waitpid(child, &status, 0);
  program.log += readFile(log);
  program.image = status == 0 ? readFile(folder.file("kernel.so")) : "";
  return status == 0;
}

} // namespace

extern "C" {

const char *nvrtcGetErrorString(int code) { return code == kCompilation ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR"; }
int nvrtcVersion(int *major, int *minor) { return *major = 13, *minor = 0, kSuccess; }
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
