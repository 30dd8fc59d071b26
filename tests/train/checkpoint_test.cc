// Checkpoints: exact, refused by other architectures, replaced atomically.
#include "train/run/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <csignal>
#include <cstring>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "support/paths.h"

namespace glimpse::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    for (const auto& [name, shape] :
         {std::pair<const char*, Shape>{"conv.weight", {8, 3, 3, 3}}, {"conv.bias", {8}}, {"moment/conv.bias", {8}}}) {
      Tensor& tensor = tensors_.emplace(name, Tensor(shape)).first->second;
      for (float& value : tensor.values()) value = static_cast<float>(random_.normal());
    }
    architecture_ = architecture_of(
        {{"conv.bias", tensors_.at("conv.bias").view()}, {"conv.weight", tensors_.at("conv.weight").view()}},
        "conv conv < image out=8 k=3\noutput conv\n");
    counters_.stage = "distill";
    counters_.epoch = 3;
    counters_.step = 12'345'678'901;
    counters_.seeds = {{"order", std::numeric_limits<std::uint64_t>::max()}, {"dropout", 1}};
    counters_.random_states = {{"dropout", random_.state()}};
    counters_.best_validation = 0.1 + 0.2;
    counters_.recipe = "name = \"a\" # ä\n";
  }

  TensorViews views() const {
    TensorViews views;
    for (const auto& [name, tensor] : tensors_) views.emplace(name, tensor.view());
    return views;
  }

  void write() const { write_checkpoint(path_, architecture_, counters_, views()); }

  std::string refused(const Architecture& expected) const {
    try {
      const Checkpoint checkpoint(path_, expected);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      EXPECT_THAT(error.what(), HasSubstr("state.safetensors"));
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return "";
  }

  glimpse::testing::ScratchFolder scratch_;
  std::filesystem::path path_ = scratch_.path() / "state.safetensors";
  Random random_{1};
  std::map<std::string, Tensor> tensors_;
  Architecture architecture_;
  Counters counters_;
};

TEST_F(CheckpointTest, ComesBackBitForBit) {
  tensors_.at("conv.bias").data()[0] = std::bit_cast<float>(0x00000001U);  // a denormal
  tensors_.at("conv.bias").data()[1] = -0.0F;
  write();
  const Checkpoint checkpoint(path_, architecture_);
  const Counters& counters = checkpoint.counters();
  EXPECT_EQ(counters.stage, counters_.stage);
  EXPECT_EQ(counters.epoch, counters_.epoch);
  EXPECT_EQ(counters.step, counters_.step);
  EXPECT_EQ(counters.seeds, counters_.seeds);
  EXPECT_EQ(counters.random_states, counters_.random_states);
  EXPECT_EQ(counters.best_validation, counters_.best_validation);
  EXPECT_EQ(counters.recipe, counters_.recipe);
  ASSERT_EQ(checkpoint.weights().tensors().size(), tensors_.size());
  for (const auto& [name, tensor] : tensors_) {
    const Tensor read = checkpoint.weights().load(name, tensor.shape());
    EXPECT_EQ(std::memcmp(read.data(), tensor.data(), tensor.view().bytes()), 0) << name;
  }
}

TEST_F(CheckpointTest, TheSameStateGivesTheSameBytes) {
  write();
  const std::string first = read_file(path_, kMaxBytes);
  write();
  EXPECT_EQ(read_file(path_, kMaxBytes), first);
}

TEST_F(CheckpointTest, NoValidationYetIsNone) {
  counters_.best_validation.reset();
  write();
  EXPECT_FALSE(Checkpoint(path_, architecture_).counters().best_validation.has_value());
  counters_.best_validation = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(write(), Error);
}

TEST_F(CheckpointTest, AnotherArchitectureIsRefusedWithTheFirstDifference) {
  write();
  Architecture other = architecture_;
  other.tensors.at("conv.weight") = {8, 3, 5, 5};
  EXPECT_THAT(refused(other), HasSubstr("its tensor 'conv.weight' is [8,3,3,3], this one's is [8,3,5,5]"));
  other.tensors.at("conv.bias") = {9};
  EXPECT_THAT(refused(other), HasSubstr("'conv.bias' is [8], this one's is [9]"));

  other = architecture_;
  other.tensors.erase("conv.bias");
  EXPECT_THAT(refused(other), HasSubstr("its tensor 'conv.bias' [8] is not in this one"));
  other = architecture_;
  other.tensors["late"] = {2, 2};
  EXPECT_THAT(refused(other), HasSubstr("it has no tensor 'late', which is [2,2] here"));

  other = architecture_;
  other.graph = "conv conv < image out=8 k=3 act=relu\noutput conv\n";
  EXPECT_THAT(refused(other), AllOf(HasSubstr("line 1 of its graph is 'conv conv < image out=8 k=3',"),
                                    HasSubstr("here it is 'conv conv < image out=8 k=3 act=relu'")));
  other.graph = architecture_.graph + "x\n";
  EXPECT_THAT(refused(other), HasSubstr("line 3 of its graph is nothing, here it is 'x'"));
}

TEST_F(CheckpointTest, FingerprintsTellNamesShapesAndGraphsApart) {
  const std::string own = fingerprint(architecture_);
  EXPECT_EQ(own.size(), 16U);
  EXPECT_EQ(fingerprint(architecture_), own);
  Architecture other = architecture_;
  other.tensors.at("conv.bias") = {1, 8};
  EXPECT_NE(fingerprint(other), own);
  other = architecture_;
  other.graph += ' ';
  EXPECT_NE(fingerprint(other), own);
}

TEST_F(CheckpointTest, FilesThatAreNoCheckpointsAreRefused) {
  write_safetensors(path_, {{"conv.bias", tensors_.at("conv.bias").view()}}, {});
  EXPECT_THAT(refused(architecture_), HasSubstr("is not a checkpoint of a training"));

  const auto with_counters = [&](const std::string& json) {
    write();
    auto metadata = Weights(path_).metadata();
    metadata["glimpse.counters"] = json;
    write_safetensors(path_, {}, metadata);
    return refused(architecture_);
  };
  EXPECT_THAT(with_counters("{"), HasSubstr("glimpse.counters"));
  EXPECT_THAT(with_counters("{\"version\": 2}"), HasSubstr("version 2"));
  EXPECT_THAT(with_counters("{\"version\": 1}"), HasSubstr("incomplete"));
  EXPECT_THAT(with_counters("{\"version\": 1, \"stage\": 3}"), HasSubstr("incomplete"));
  EXPECT_THAT(with_counters("[]"), HasSubstr("incomplete"));

  write();
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_THAT(refused(architecture_), HasSubstr("truncated"));
}

/// Runs `body` in a process that may write no file of more than `bytes`, as if the disk were full then; what comes back
/// is the code of the Error that it met.
int with_full_disk(rlim_t bytes, const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit = {bytes, bytes};
    std::signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(100);
    try {
      body();
    } catch (const Error& error) {
      _exit(static_cast<int>(error.code()));
    } catch (...) {
      _exit(101);
    }
    _exit(102);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(CheckpointTest, AFullDiskLeavesTheOldOneWhole) {
  tensors_.emplace("large", Tensor(Shape{50'000}, std::vector<float>(50'000, 1.0F)));
  write();
  const std::string before = read_file(path_, kMaxBytes);
  counters_.step += 1;
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{100}, rlim_t{150'000}}) {
    EXPECT_EQ(with_full_disk(bytes, [&] { write(); }), static_cast<int>(ErrorCode::kIo)) << bytes;
    EXPECT_TRUE(read_file(path_, kMaxBytes) == before) << bytes;
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch_.path()), {}), 1) << "a file was left behind";
  }
  EXPECT_EQ(Checkpoint(path_, architecture_).counters().step, counters_.step - 1);
}

}  // namespace
}  // namespace glimpse::train
