//===- Translate.cpp - from the source of a kernel to C++ for this machine ----------------------------------------===//

#include "Translate.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>

using namespace emulator;

std::string emulator::readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

namespace {
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
                        "  static constexpr int kN = " +
                        n + ";\n" + (sparse ? "  template <int kSelector>\n" : "") + "  static void issue(float (&d)[" +
                        n + " / 2], unsigned long long a, unsigned long long b, " +
                        (sparse ? "unsigned metadata, " : "") +
                        "int scale_d) {\n"
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

} // namespace

std::string emulator::translateKernel(std::string text) {
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
               ">::kernel;\nextern \"C\" const unsigned " + name +
               "_cluster = " + (std::regex_search(attributes, cluster, clusterSize) ? cluster[1].str() : "1") + ";\n";
  }
  if (exports.empty())
    throw std::runtime_error("the source has no entry");
  return "#include \"" WINNOW_EMULATOR_FOLDER "/Prelude.h\"\n" + text + exports;
}
