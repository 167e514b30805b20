//===- TunedSchedulesTest.cpp - reading, merging and asking databases of tuned schedules --------------------------===//

#include "winnow/Dialect/Kern/Transforms/TunedSchedules.h"

#include "winnow/Target/Cuda/Layout.h"

#include <gtest/gtest.h>

using namespace winnow;
using namespace winnow::kern;

namespace {

/// The product of a sparse block, 8192 x 28672, at 4097 to 8192 tokens.
TunedEntry sampleEntry(int64_t panel = 0) {
  TunedEntry entry;
  entry.chip = "sm_90a";
  entry.device = "A GPU";
  entry.problem.m = cuda::kTokens;
  entry.problem.n = 8192;
  entry.problem.k = 28672;
  entry.problem.sparse = true;
  entry.problem.panel = panel;
  entry.tokens = tokenBucket(8192);
  entry.schedule = {Family::Wgmma, 128, 256, 2, 4, 16, 0};
  entry.microseconds = 100.25;
  entry.modelMicroseconds = 110.5;
  entry.date = "2026-01-31";
  entry.build = "0.0+test";
  return entry;
}

std::string textWith(std::string from, std::string to) {
  TunedSchedules schedules;
  schedules.put(sampleEntry());
  std::string text = schedules.print();
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << text;
  return text.replace(at, from.size(), to);
}

std::string parseError(const std::string &text) {
  Result<TunedSchedules> parsed = TunedSchedules::parse(text, "'user.json'");
  return parsed ? "" : parsed.message();
}

Tuning tuningOf(std::vector<TunedEntry> user, std::vector<TunedEntry> shipped = {}) {
  std::vector<TunedSchedules> databases(2);
  for (TunedEntry &entry : user)
    databases[0].put(std::move(entry));
  for (TunedEntry &entry : shipped)
    databases[1].put(std::move(entry));
  return Tuning(std::move(databases));
}

TEST(TunedSchedules, BucketsEndAtPowersOfTwo) {
  for (auto [tokens, first, last] :
       {std::tuple{1, 1, 1}, {2, 2, 2}, {3, 3, 4}, {4, 3, 4}, {5, 5, 8}, {8192, 4097, 8192}, {8193, 8193, 16384}}) {
    EXPECT_EQ(tokenBucket(tokens).first, first) << tokens;
    EXPECT_EQ(tokenBucket(tokens).last, last) << tokens;
  }
}

TEST(TunedSchedules, TheTextHasOneLinePerEntryAndReadsBackTheSame) {
  TunedSchedules schedules;
  TunedEntry dense = sampleEntry();
  dense.problem.sparse = false;
  dense.problem.compress = true;
  dense.problem.outPanel = 256;
  dense.problem.m = 64;
  dense.tokens.reset();
  schedules.put(sampleEntry(256));
  schedules.put(dense);
  std::string text = schedules.print();
  EXPECT_EQ(text, R"({"version": 1, "entries": [
{"chip":"sm_90a","problem":{"sparse":false,"lhs":"f8E4M3FN","rhs":"f8E4M3FN","out":"bf16","compress":true,"m":64,"n":8192,"k":28672,"lhs_order":"row_major","rhs_order":"row_major","out_panel":256},"schedule":{"tile":[128,256],"warpgroups":2,"stages":4,"raster":16,"pacing":0},"measured":{"device":"A GPU","us":100.25,"model_us":110.50,"date":"2026-01-31","build":"0.0+test"}},
{"chip":"sm_90a","problem":{"sparse":true,"lhs":"f8E4M3FN","rhs":"f8E4M3FN","out":"bf16","compress":false,"m":"tokens","n":8192,"k":28672,"tokens":[4097,8192],"panel":256,"rhs_order":"row_major"},"schedule":{"tile":[128,256],"warpgroups":2,"stages":4,"raster":16,"pacing":0},"measured":{"device":"A GPU","us":100.25,"model_us":110.50,"date":"2026-01-31","build":"0.0+test"}}
]}
)");
  Result<TunedSchedules> again = TunedSchedules::parse(text, "it");
  ASSERT_TRUE(again.ok()) << again.message();
  EXPECT_EQ(again->entries().size(), 2u);
  EXPECT_EQ(again->print(), text);
}

TEST(TunedSchedules, PuttingReplacesWhatIsForTheSameProblem) {
  TunedSchedules schedules;
  schedules.put(sampleEntry());
  TunedEntry better = sampleEntry();
  better.schedule.raster = 8;
  better.device = "another GPU";
  schedules.put(better);
  ASSERT_EQ(schedules.entries().size(), 1u);
  EXPECT_EQ(schedules.entries()[0].schedule.raster, 8);
  schedules.put(sampleEntry(128));
  EXPECT_EQ(schedules.entries().size(), 2u);
  EXPECT_TRUE(schedules.remove(sampleEntry()));
  EXPECT_FALSE(schedules.remove(sampleEntry()));
  EXPECT_EQ(schedules.entries().size(), 1u);
}

TEST(TunedSchedules, ErrorsSayWhereAndWhatWasExpected) {
  EXPECT_NE(parseError("{"), "");
  EXPECT_NE(parseError("[]").find("'user.json' is no database of tuned schedules: expected an object with the integer "
                                  "member \"version\""),
            std::string::npos);
  EXPECT_EQ(parseError(textWith("\"version\": 1", "\"version\": 7")),
            "'user.json' has version 7 of the database of tuned schedules, expected 1: another Winnow has written it; "
            "tune again with this one");
  for (auto [from, to, expected] :
       {std::tuple{"\"stages\":4", "\"stages\":-4",
                   "expected an integer from 0 to 65536 at $.entries[0].schedule.stages"},
        {"\"stages\":4", "\"stages\":1e300", "expected an integer from 0 to 65536 at $.entries[0].schedule.stages"},
        {"\"stages\":4,", "", "missing key at $.entries[0].schedule.stages"},
        {"\"stages\":4", "\"stages\":4,\"clusters\":1", "unknown key at $.entries[0].schedule.clusters"},
        {"\"m\":\"tokens\"", "\"m\":0",
         "expected an integer from 1 to 2147483647, or \"tokens\" at $.entries[0].problem.m"},
        {"\"m\":\"tokens\"", "\"m\":64", "unknown key at $.entries[0].problem.tokens"},
        {"[4097,8192]", "[8192,4097]",
         "expected the first and the last token count of a range at "
         "$.entries[0].problem.tokens"},
        {"[4097,8192]", "[4097]", "expected two integers at $.entries[0].problem.tokens"},
        {"\"bf16\"", "\"i4\"", "expected f32, bf16, f16, f8E4M3FN or f8E5M2 at $.entries[0].problem.out"},
        {"\"row_major\"", "true", "expected row_major, padded or strided at $.entries[0].problem.rhs_order"},
        {"100.25", "-1", "expected a time that is not negative at $.entries[0].measured.us"},
        {"\"sm_90a\"", "90", "expected string at $.entries[0].chip"},
        {"\"entries\"", "\"entry\"", "unknown key at $.entry"}}) {
    std::string error = parseError(textWith(from, to));
    EXPECT_NE(error.find(expected), std::string::npos) << from << " -> " << to << ": " << error;
  }
}

TEST(TunedSchedules, WhatIsAskedForMustMatch) {
  Tuning tuning = tuningOf({sampleEntry()});
  GemmProblem problem = sampleEntry().problem;
  problem.expectedTokens = 5000;
  EXPECT_EQ(tuning.find("sm_90a", problem).size(), 1u);
  EXPECT_TRUE(tuning.find("sm_80", problem).empty());
  problem.expectedTokens = 4096;
  EXPECT_TRUE(tuning.find("sm_90a", problem).empty());
  problem.expectedTokens = 5000;
  problem.out = rt::ElementType::f32;
  EXPECT_TRUE(tuning.find("sm_90a", problem).empty());
  problem = sampleEntry().problem;
  problem.k = 28680;
  EXPECT_TRUE(tuning.find("sm_90a", problem).empty());
  problem = sampleEntry().problem;
  problem.compress = true;
  EXPECT_TRUE(tuning.find("sm_90a", problem).empty());
}

TEST(TunedSchedules, TheUsersEntryWinsThenThePanelsOwnThenTheNarrower) {
  TunedEntry wide = sampleEntry(), own = sampleEntry(128), shipped = sampleEntry(128);
  wide.tokens = {1, 100000};
  wide.schedule.raster = 1;
  own.schedule.raster = 2;
  shipped.schedule.raster = 3;
  GemmProblem problem = sampleEntry(128).problem;
  std::vector<int64_t> rasters;
  Tuning tuning = tuningOf({wide, own, sampleEntry()}, {shipped});
  for (const TunedEntry *entry : tuning.find("sm_90a", problem))
    rasters.push_back(entry->schedule.raster);
  EXPECT_EQ(rasters, (std::vector<int64_t>{2, 16, 1, 3}));
}

TEST(TunedSchedules, AnEntryDecidesThePanelAndIsFoundAgainUnderIt) {
  Tuning tuning = tuningOf({sampleEntry()});
  GemmProblem problem = sampleEntry().problem;
  Result<ScheduleDecision> free = decideSchedule(problem, tuning, "sm_90a");
  ASSERT_TRUE(free.ok());
  ASSERT_TRUE(free->tuned.has_value());
  EXPECT_EQ(free->schedule.tileM, 128);
  problem.panel = free->schedule.tileM;
  problem.lhsOrder = KOrder::strided; // of no meaning for a compressed operand
  Result<ScheduleDecision> given = decideSchedule(problem, tuning, "sm_90a");
  ASSERT_TRUE(given.ok());
  EXPECT_TRUE(given->tuned.has_value());
  EXPECT_EQ(toString(given->schedule), toString(free->schedule));

  problem.panel = 256;
  Result<ScheduleDecision> other = decideSchedule(problem, tuning, "sm_90a");
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(other->tuned.has_value());
  EXPECT_EQ(other->schedule.tileM, 256);
  ASSERT_EQ(other->unused.size(), 1u);
  EXPECT_EQ(other->unused[0],
            "the tuned schedule wgmma 128 x 256, 2 warpgroups, 4 stages is not used: tile M 128 is not "
            "the panel 256 of the compressed operand");
}

TEST(TunedSchedules, AnIllegalEntryIsPassedOverForTheNext) {
  for (auto [schedule, why] : {std::pair{GemmSchedule{Family::Wgmma, 128, 256, 2, 14, 16, 0}, "bytes of shared memory"},
                               {GemmSchedule{Family::Wgmma, 256, 256, 2, 2, 16, 0}, "accumulators"},
                               {GemmSchedule{Family::Wgmma, 256, 64, 4, 2, 16, 0}, "expects 1 to 3 warpgroups, got 4"},
                               {GemmSchedule{Family::Wgmma, 64, 32, 1, 16, 16, 0}, "at most 15 stages"},
                               {GemmSchedule{Family::Wgmma, 128, 256, 0, 2, 16, 0}, "rows per warpgroup"},
                               {GemmSchedule{Family::Wgmma, 65536, 65536, 65536, 65536, 65536, 65536}, "warpgroups"},
                               {GemmSchedule{Family::Wgmma, 128, 256, 2, 2, 0, 0}, "raster expects at least 1"}}) {
    TunedEntry illegal = sampleEntry();
    illegal.schedule = schedule;
    Result<ScheduleDecision> decision = decideSchedule(illegal.problem, tuningOf({illegal}, {sampleEntry()}), "sm_90a");
    ASSERT_TRUE(decision.ok());
    ASSERT_TRUE(decision->tuned.has_value());
    EXPECT_EQ(decision->schedule.raster, 16);
    ASSERT_EQ(decision->unused.size(), 1u);
    EXPECT_NE(decision->unused[0].find(why), std::string::npos) << decision->unused[0];
  }
}

TEST(TunedSchedules, TheShippedDatabaseIsReadable) {
  Result<TunedSchedules> shipped = TunedSchedules::shipped();
  ASSERT_TRUE(shipped.ok()) << shipped.message();
  for (const TunedEntry &entry : shipped->entries())
    EXPECT_EQ(whyIllegal(entry.problem, entry.schedule), "");
  EXPECT_TRUE(Tuning::open("").ok());
  EXPECT_TRUE(Tuning::open("none").ok());
  EXPECT_FALSE(Tuning::open("/nowhere/tuned.json").ok());
}

} // namespace
