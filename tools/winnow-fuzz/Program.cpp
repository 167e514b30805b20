//===- Program.cpp - a program of the differential tester, and how it is run --------------------------------------===//

#include "Program.h"

#include <cinttypes>
#include <cstdio>

namespace winnow::fuzz {

static const char kHeader[] = "// winnow-fuzz: seed=%" SCNu64 " tokens=%" SCNd64 " structured=%d special=%d";

std::string Program::print() const {
  char line[128];
  std::snprintf(line, sizeof line, kHeader, seed, tokens, structured, special);
  return std::string(line) + "\n" + text;
}

Result<Program> Program::parse(const std::string &file, const std::string &name) {
  Program program;
  int structured = 0, special = 0;
  size_t begin = file.find("// winnow-fuzz:");
  if (begin == std::string::npos ||
      std::sscanf(file.c_str() + begin, kHeader, &program.seed, &program.tokens, &structured, &special) != 4 ||
      program.tokens < 1)
    return Error{name + ": expects a line '// winnow-fuzz: seed=N tokens=N structured=0|1 special=0|1', which "
                        "winnow-fuzz writes above what it generates"};
  program.structured = structured != 0;
  program.special = special != 0;
  program.text = file;
  return program;
}

} // namespace winnow::fuzz
