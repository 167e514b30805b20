//===- CompileLog.cpp - what ptxas says of a compilation ----------------------------------------------------------===//
//
// With -v ptxas writes, for every kernel:
//   ptxas info    : Compiling entry function 'NAME' for 'sm_90a'
//   ptxas info    : Function properties for NAME
//   ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
//   ptxas info    : Used 168 registers, used 1 barriers, 16 bytes cumulative stack size
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "winnow/Jit/Nvrtc.h"

#include <algorithm>
#include <cctype>
#include <sstream>

using namespace winnow;
using namespace winnow::jit;

/// The number that ends right before `unit`, which may be led by blanks; 0 where there is none.
static int numberBefore(const std::string &line, const std::string &unit) {
  size_t end = line.find(unit);
  if (end == std::string::npos)
    return 0;
  while (end > 0 && line[end - 1] == ' ')
    --end;
  size_t begin = end;
  while (begin > 0 && end - begin < 9 && std::isdigit(static_cast<unsigned char>(line[begin - 1])))
    --begin;
  int number = 0;
  for (size_t i = begin; i < end; ++i)
    number = 10 * number + (line[i] - '0');
  return number;
}

static bool contains(const std::string &line, const char *text) { return line.find(text) != std::string::npos; }

/// Whether the line holds one of the notes C7510 to C7519.
static bool notesSerialisation(const std::string &line) {
  size_t note = line.find("(C751");
  return note != std::string::npos && note + 6 < line.size() &&
         std::isdigit(static_cast<unsigned char>(line[note + 5])) && line[note + 6] == ')';
}

CompileReport winnow::jit::readLog(const std::string &log) {
  static constexpr char entry[] = "Compiling entry function '";
  CompileReport report;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (notesSerialisation(line))
      report.serialisations.push_back(line);
    if (size_t begin = line.find(entry); begin != std::string::npos) {
      begin += sizeof(entry) - 1;
      report.kernels.emplace_back();
      report.kernels.back().kernel = line.substr(begin, line.find('\'', begin) - begin);
    }
    if (report.kernels.empty())
      continue;
    KernelResources &kernel = report.kernels.back();
    if (contains(line, "bytes stack frame")) {
      // A function that the kernel calls has lines of its own: the worst counts.
      kernel.stackBytes = std::max(kernel.stackBytes, numberBefore(line, "bytes stack frame"));
      kernel.spillStoreBytes = std::max(kernel.spillStoreBytes, numberBefore(line, "bytes spill stores"));
      kernel.spillLoadBytes = std::max(kernel.spillLoadBytes, numberBefore(line, "bytes spill loads"));
    }
    if (contains(line, "Used ") && contains(line, " registers")) {
      kernel.registers = numberBefore(line, " registers");
      kernel.barriers = numberBefore(line, " barriers");
    }
  }
  return report;
}
