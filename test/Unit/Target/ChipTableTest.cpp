//===- ChipTableTest.cpp - rows and lookup ------------------------------------------------------------------------===//

#include "winnow/Target/ChipTable.h"

#include "gtest/gtest.h"

#include <set>

using namespace winnow;

TEST(ChipTable, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const Chip &chip : chipTable())
    EXPECT_TRUE(names.insert(chip.name).second) << chip.name;
}

TEST(ChipTable, FindsEveryRowByName) {
  for (const Chip &chip : chipTable()) {
    Result<const Chip *> found = lookupChip(chip.name);
    ASSERT_TRUE(found) << chip.name;
    EXPECT_EQ(*found, &chip);
  }
}

TEST(ChipTable, RowsAreConsistent) {
  for (const Chip &chip : chipTable()) {
    if (chip.name == "cpu")
      continue;
    EXPECT_GT(chip.multiprocessors, 0) << chip.name;
    EXPECT_GT(chip.bytesPerSecond, 0) << chip.name;
    EXPECT_GT(chip.sharedBytes, 48 * 1024) << chip.name;
    EXPECT_GE(chip.burst, 1) << chip.name;
    // 2:4 is faster than dense, at most twice; f8 at least as fast as 16 bit where it exists.
    for (auto [dense, sparse] :
         {std::pair(chip.dense.f8, chip.sparse.f8), std::pair(chip.dense.b16, chip.sparse.b16)}) {
      EXPECT_GE(sparse, dense) << chip.name;
      EXPECT_LE(sparse, 2.05 * dense) << chip.name;
    }
    if (chip.dense.f8 > 0)
      EXPECT_GE(chip.dense.f8, chip.dense.b16) << chip.name;
    EXPECT_TRUE(chip.mmaSp) << chip.name;
  }
}

TEST(ChipTable, UnknownNameListsTheKnownOnes) {
  Result<const Chip *> found = lookupChip("sm_90");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.message(),
            "unknown target 'sm_90', expected one of sm_80, sm_86, sm_89, sm_90a, sm_120a, cpu (of these, "
            "specs compile today for sm_90a, cpu)");
}

TEST(ChipTable, OnlySomeTargetsCompile) {
  EXPECT_TRUE(lookupTarget("sm_90a"));
  EXPECT_TRUE(lookupTarget("cpu"));
  Result<const Chip *> found = lookupTarget("sm_120a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.message(), "target 'sm_120a' is known but cannot be compiled for yet, expected one of sm_90a, cpu");
  EXPECT_EQ(lookupTarget("").message().rfind("unknown target ''", 0), 0u);
}
