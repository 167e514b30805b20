//===- ArtifactTest.cpp - a program as a file ---------------------------------------------------------------------===//

#include "winnow/Runtime/Artifact.h"

#include "SamplePlan.h"
#include "winnow/Support/File.h"
#include "winnow/Support/Sha256.h"

#include <gtest/gtest.h>

#include <cstring>
#include <dirent.h>
#include <unistd.h>

using namespace winnow;
using namespace winnow::rt;

static std::string messageOf(const std::vector<uint8_t> &bytes) {
  Result<Program> program = deserialize(bytes.data(), bytes.size(), "ffn.wnw");
  return program ? "accepted" : program.message();
}

/// Gives tampered bytes a length and a hash that fit them, as a hostile file would have.
static void seal(std::vector<uint8_t> &bytes) {
  uint64_t size = bytes.size();
  for (size_t i = 0; i < 8; ++i)
    bytes[12 + i] = uint8_t(size >> (8 * i));
  Sha256::Digest digest = Sha256::hash(bytes.data(), bytes.size() - Sha256::kDigestBytes);
  std::memcpy(bytes.data() + bytes.size() - digest.size(), digest.data(), digest.size());
}

TEST(Artifact, RoundTripKeepsEveryField) {
  Plan plan = samplePlan();
  std::vector<uint8_t> bytes = serialize(plan);
  Result<Program> program = deserialize(bytes.data(), bytes.size(), "ffn.wnw");
  ASSERT_TRUE(program) << program.message();
  EXPECT_EQ(serialize(*program), bytes);
  ASSERT_EQ(program->specializations.size(), 1u);
  EXPECT_EQ(program->maxTokens(), 100000);
  const Plan *read = &program->defaultPlan();

  EXPECT_EQ(read->name, "forward");
  EXPECT_EQ(read->target, "sm_90a");
  EXPECT_EQ(read->compiler, "test build");
  EXPECT_EQ(read->spec, "module {}");
  EXPECT_EQ(read->maxTokens, 100000);
  ASSERT_EQ(read->buffers.size(), 7u);
  EXPECT_EQ(read->buffers[1].name, "w");
  EXPECT_TRUE(read->buffers[1].isWeight);
  EXPECT_EQ(read->buffers[4].bytes.evaluate(129), 2 * 128 * 128);
  EXPECT_EQ(read->buffers[4].shape, (std::vector<int64_t>{-1, 64}));
  EXPECT_EQ(read->buffers[4].layout, Layout::packed24);
  EXPECT_EQ(read->buffers[4].sparseAxis, 0);
  EXPECT_EQ(read->buffers[4].panel, 128u);
  EXPECT_EQ(read->buffers[4].stage, 2);
  EXPECT_EQ(read->buffers[4].stageResult, 1u);
  EXPECT_EQ(read->buffers[6].kind, BufferKind::constant);
  EXPECT_EQ(read->buffers[6].contents, (std::vector<uint8_t>{0, 0, 128, 63}));
  EXPECT_EQ(read->kernels[1].sharedBytes, 200000u);
  ASSERT_EQ(read->launches.size(), 4u);
  EXPECT_EQ(read->launches[1].kind, Launch::Kind::fillZero);
  EXPECT_EQ(read->launches[1].buffer, 5u);
  EXPECT_TRUE(read->launches[2].persistent);
  EXPECT_EQ(read->launches[2].cluster, 2u);
  EXPECT_EQ(read->launches[2].tensorMaps[1].box, (std::vector<uint32_t>{128, 2, 4, 4, 6}));
  EXPECT_FALSE(read->launches[2].tensorMaps[1].swizzle128);
  EXPECT_EQ(read->launches[3].source, 2u);
  EXPECT_EQ(read->images[0].ptx, ".version 8.7");
  EXPECT_EQ(read->images[0].cubin, plan.images[0].cubin);
}

TEST(Artifact, RoundTripKeepsEveryRange) {
  std::vector<uint8_t> bytes = serialize(sampleProgram());
  Result<Program> read = deserialize(bytes.data(), bytes.size(), "ffn.wnw");
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(serialize(*read), bytes);
  ASSERT_EQ(read->specializations.size(), 3u);
  EXPECT_EQ(read->specializations[0].lastTokens, 64);
  EXPECT_EQ(read->specializations[0].decidedFor, 16);
  EXPECT_EQ(read->specializations[0].summary, "small_1 dense 64x128");
  EXPECT_EQ(read->specializations[1].lastTokens, 1024);
  EXPECT_EQ(read->specializations[2].lastTokens, 100000);
  ASSERT_EQ(read->planFor(1).images.size(), 2u);
  EXPECT_EQ(read->planFor(1).images[1].name, "small_kernels");
  EXPECT_EQ(read->planFor(1).maxTokens, 5000);
  for (const Specialization &specialization : read->specializations) {
    EXPECT_EQ(specialization.plan.name, "forward");
    EXPECT_EQ(specialization.plan.target, "sm_90a");
    EXPECT_EQ(specialization.plan.compiler, "test build");
    EXPECT_EQ(specialization.plan.spec, "module {}");
    EXPECT_EQ(specialization.plan.images[0].cubin, samplePlan().images[0].cubin);
  }
}

TEST(Artifact, StoresEqualImagesOnce) {
  Program program = sampleProgram();
  std::vector<uint8_t> large(100000, 7);
  for (Specialization &specialization : program.specializations)
    specialization.plan.images[0].cubin = large;
  size_t all = serialize(program).size();
  EXPECT_LT(all, large.size() + 20000);
  // As soon as one of them differs in anything it is stored by itself.
  program.specializations[2].plan.images[0].ptx += " ";
  EXPECT_GT(serialize(program).size(), all + large.size());
  // Equal images of one plan stay two.
  program.specializations[0].plan.images.push_back(program.specializations[0].plan.images[0]);
  std::vector<uint8_t> bytes = serialize(program);
  Result<Program> read = deserialize(bytes.data(), bytes.size(), "ffn.wnw");
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(read->planFor(1).images.size(), 3u);
}

TEST(Artifact, EqualPlansAreEqualBytesAndDifferentOnesAreNot) {
  Plan plan = samplePlan();
  EXPECT_EQ(serialize(plan), serialize(samplePlan()));
  plan.launches[2].tensorMaps[0].box[1] = 64;
  EXPECT_NE(serialize(plan), serialize(samplePlan()));
}

TEST(Artifact, BytesDoNotChangeBetweenMachines) {
  // Pins the format: a change here needs a new format version.
  std::vector<uint8_t> bytes = serialize(sampleProgram());
  const uint8_t header[] = {'W', 'I', 'N', 'N', 'O', 'W', '\r', '\n', 4, 0, 0, 0};
  EXPECT_EQ(std::memcmp(bytes.data(), header, sizeof(header)), 0);
  EXPECT_EQ(toHex(Sha256::hash(bytes.data(), bytes.size())),
            "b01160a0b934fc549e2339cb61002a875a335f00d8e5d95aebabb9c13663f0be");
}

TEST(Artifact, RejectsEveryTruncation) {
  std::vector<uint8_t> bytes = serialize(sampleProgram());
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + size);
    std::string message = messageOf(cut);
    EXPECT_NE(message.find(size < 8 ? "not a winnow artifact" : "truncated artifact"), std::string::npos)
        << size << ": " << message;
  }
}

TEST(Artifact, RejectsEveryFlippedByte) {
  std::vector<uint8_t> bytes = serialize(sampleProgram());
  for (size_t i = 0; i < bytes.size(); ++i)
    for (uint8_t mask : {0x01, 0x80, 0xff}) {
      std::vector<uint8_t> flipped = bytes;
      flipped[i] ^= mask;
      EXPECT_NE(messageOf(flipped), "accepted") << i;
    }
}

TEST(Artifact, SurvivesEveryFlippedByteUnderAFittingHash) {
  // The hash guards against accidents only: what passes it must still be decoded with care, and be a plan that
  // verifies.
  std::vector<uint8_t> bytes = serialize(sampleProgram());
  size_t rejected = 0;
  for (size_t i = 20; i < bytes.size() - Sha256::kDigestBytes; ++i)
    for (uint8_t mask : {0x01, 0x80, 0xff}) {
      std::vector<uint8_t> flipped = bytes;
      flipped[i] ^= mask;
      seal(flipped);
      rejected += messageOf(flipped) != "accepted";
    }
  EXPECT_GT(rejected, bytes.size() / 2);
}

TEST(Artifact, SurvivesEveryTruncationUnderAFittingHash) {
  std::vector<uint8_t> bytes = serialize(sampleProgram());
  for (size_t size = 20; size < bytes.size() - Sha256::kDigestBytes; ++size) {
    std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + size);
    cut.resize(size + Sha256::kDigestBytes);
    seal(cut);
    EXPECT_EQ(messageOf(cut), "cannot load 'ffn.wnw': malformed artifact: a field has a length or value that does not "
                              "fit; compile the spec again");
  }
}

TEST(Artifact, SaysWhatIsWrong) {
  EXPECT_EQ(messageOf({}),
            "cannot load 'ffn.wnw': not a winnow artifact; expected a file written by winnow compile -o");

  std::vector<uint8_t> bytes = serialize(samplePlan());
  for (uint8_t version : {1, 9}) {
    bytes[8] = version;
    EXPECT_EQ(messageOf(bytes), "cannot load 'ffn.wnw': artifact format 4 expected, got " + std::to_string(version) +
                                    "; compile the spec again with this winnow");
  }

  bytes = serialize(samplePlan());
  bytes.back() ^= 1;
  EXPECT_EQ(messageOf(bytes),
            "cannot load 'ffn.wnw': corrupt artifact: its contents do not match its SHA-256; compile the spec again");

  bytes = serialize(samplePlan());
  std::string size = std::to_string(bytes.size());
  bytes.push_back(0);
  EXPECT_EQ(messageOf(bytes), "cannot load 'ffn.wnw': corrupt artifact: expected " + size + " bytes, got " +
                                  std::to_string(bytes.size()));
  bytes.resize(bytes.size() - 2);
  EXPECT_EQ(messageOf(bytes), "cannot load 'ffn.wnw': truncated artifact: expected " + size + " bytes, got " +
                                  std::to_string(bytes.size()));

  Plan plan = samplePlan();
  plan.kernels[1].image = 7;
  EXPECT_EQ(messageOf(serialize(plan)), "cannot load 'ffn.wnw': malformed artifact: kernel 1 ('forward_1') is "
                                        "malformed: image: expected less than 1, got 7");

  Program program = sampleProgram();
  program.specializations[1].lastTokens = 64;
  EXPECT_EQ(messageOf(serialize(program)),
            "cannot load 'ffn.wnw': malformed artifact: token range 1 is malformed: last "
            "token count: expected 65 to 100000, got 64");
  program.specializations.assign(17, program.specializations[0]);
  EXPECT_EQ(messageOf(serialize(program)), "cannot load 'ffn.wnw': malformed artifact: a field has a length or value "
                                           "that does not fit; compile the spec again");
  EXPECT_EQ(messageOf(serialize(Program())),
            "cannot load 'ffn.wnw': malformed artifact: the program is malformed: token "
            "ranges: expected 1 to 16, got 0");
}

TEST(Artifact, FilesAreReadBackAndNeverHalfWritten) {
  std::string path = testing::TempDir() + "winnow_artifact_test_" + std::to_string(getpid()) + ".wnw";
  ASSERT_TRUE(writeArtifact(sampleProgram(), path));
  Result<Program> read = readArtifact(path);
  ASSERT_TRUE(read) << read.message();
  EXPECT_EQ(serialize(*read), serialize(sampleProgram()));

  Plan malformed = samplePlan();
  malformed.launches[1].buffer = 0;
  Status status = writeArtifact(malformed, path);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.message(), "cannot write '" + path +
                                  "': launch 1 is malformed: buffer: expected an output or "
                                  "workspace to write to, got buffer 0 ('x')");
  EXPECT_TRUE(readArtifact(path));
  ::unlink(path.c_str());

  EXPECT_EQ(readArtifact(path).message(), "cannot open '" + path + "': No such file or directory");
  EXPECT_EQ(writeArtifact(samplePlan(), "/dev/full").message(), "cannot write '/dev/full': No space left on device");
}
