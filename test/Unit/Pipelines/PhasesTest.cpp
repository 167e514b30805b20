//===- PhasesTest.cpp - the list of phases and its documentation --------------------------------------------------===//

#include "winnow/Pipelines/Pipelines.h"

#include "gtest/gtest.h"

#include <fstream>
#include <set>
#include <sstream>

using namespace winnow;

static std::string readFile(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Phases, NamesAreUnique) {
  std::set<std::string> names;
  for (llvm::ArrayRef<Phase> phases : {ffnPhases(), kernPhases()})
    for (const Phase &phase : phases)
      EXPECT_TRUE(names.insert(phase.name.str()).second) << phase.name.str();
}

TEST(Phases, EveryPhaseAddsAPass) {
  for (llvm::ArrayRef<Phase> phases : {ffnPhases(), kernPhases()})
    for (const Phase &phase : phases) {
      mlir::OpPassManager manager("builtin.module");
      phase.build(manager, {});
      EXPECT_FALSE(manager.empty()) << phase.name.str();
    }
}

TEST(Phases, DocumentationListsThemInOrder) {
  std::string page = readFile(WINNOW_SOURCE_DIR "/docs/passes.md");
  ASSERT_FALSE(page.empty());
  size_t position = 0;
  for (const Phase &phase : ffnPhases()) {
    size_t row = page.find("| `" + phase.name.str() + "` |", position);
    ASSERT_NE(row, std::string::npos) << phase.name.str();
    std::string line = page.substr(row, page.find('\n', row) - row);
    EXPECT_NE(line.find("| " + phase.description.str() + " |"), std::string::npos) << line;
    position = row;
  }
}
