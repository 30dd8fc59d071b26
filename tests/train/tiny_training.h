// A training of a tiny captioner on drawn pictures, through all stages; what its tests share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "image/image.h"
#include "net/graph.h"
#include "net/tensors.h"
#include "support/paths.h"
#include "train/run/trainer.h"

namespace glimpse::train {

inline constexpr std::size_t kMaxBytes = std::size_t{1} << 26;
inline constexpr std::array<const char*, 3> kColours = {"red", "green", "blue"};

inline void write_text(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

/// Listens, and asks to stop after a number of steps.
class Listener : public Observer {
 public:
  explicit Listener(int steps = std::numeric_limits<int>::max()) : left_(steps) {}
  void progress(const Progress&) override { --left_; }
  void validated(const Validation& validation) override { validations.push_back(validation.scores); }
  void note(const std::string& text) override { notes += text + '\n'; }
  bool interrupted() override { return left_ <= 0; }

  std::vector<Measures> validations;
  std::string notes;

 private:
  int left_;
};

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    std::filesystem::create_directories(folder() / "photos");
    nlohmann::json lines;
    std::ofstream set(folder() / "set.jsonl");
    for (int i = 0; i < 16; ++i) {
      const std::string name = "p" + std::to_string(i) + ".png";
      const auto colour = static_cast<std::size_t>(i) % kColours.size();
      draw(colour, static_cast<std::uint64_t>(i), name);
      const std::string caption = std::string("a ") + kColours[colour] + " thing on grey";
      set << nlohmann::json{{"image", name}, {"captions", {caption}}, {"split", i < 12 ? "train" : "val"}} << '\n';
    }
    write_text(folder() / "encoder.graph",
               "conv c1 < image out=8 k=3 s=2 pad=1 bias=0\nbatchnorm n1 < c1 act=relu\n"
               "conv c2 < n1 out=12 k=3 s=2 pad=1 bias=0\nbatchnorm n2 < c2 act=relu\n");
    const std::string teacher =
        "conv t1 < image out=8 k=3 s=2 pad=1 act=relu\nconv t2 < t1 out=8 k=3 s=2 pad=1\nconv t3 < t2 out=8 k=1 "
        "act=relu\nglobalavgpool t4 < t3\nconv t5 < t4 out=5 k=1\n";
    write_text(folder() / "teacher.graph", teacher);
    const Weights weights = net::random_weights(net::parse_graph(teacher, "teacher.graph"), {1, 3, 24, 24}, 3);
    std::vector<NamedTensor> tensors;
    for (const auto& [name, view] : weights.tensors()) tensors.push_back({name, view});
    write_safetensors(folder() / "teacher.safetensors", tensors, {});
  }

  const std::filesystem::path& folder() const { return scratch_.path(); }

  /// A grey picture with a coloured square somewhere.
  void draw(std::size_t colour, std::uint64_t seed, const std::string& name) const {
    Image image(24, 24);
    Random random(seed);
    const auto left = static_cast<int>(random.below(12));
    const auto top = static_cast<int>(random.below(12));
    for (int y = 0; y < 24; ++y) {
      for (int x = 0; x < 24; ++x) {
        const bool inside = x >= left && x < left + 12 && y >= top && y < top + 12;
        for (std::size_t c = 0; c < 3; ++c) {
          image.row(y)[3 * x + static_cast<int>(c)] = static_cast<std::uint8_t>((inside && c == colour ? 220
                                                                                 : inside              ? 20
                                                                                                       : 110) +
                                                                                random.below(12));
        }
      }
    }
    write_png(image, folder() / "photos" / name);
  }

  static std::string recipe_text() {
    return R"(
name = tiny
output = tiny.safetensors
threads = 1
[data]
captions = set.jsonl
photos = photos
vocabulary-threshold = 1
[encoder]
graph = encoder.graph
output = n2
width = 24
height = 24
[decoder]
feature = 16
attention = 8
hidden = 16
embedding = 8
deep = 16
[distill]
epochs = 2
batch = 4
learning-rate = 3e-3
warm-up = 2
average = 0.9
flip = yes
crop-scale = 0.7, 1
colour = 0.1
teacher-graph = teacher.graph
teacher-weights = teacher.safetensors
teacher-output = t5
target = t2
logits-weight = 0.5
cache = cache
views = 2
[caption]
epochs = 30
batch = 4
learning-rate = 2e-2
warm-up = 5
dropout-features = 0.1
dropout-embedding = 0.1
dropout-output = 0.1
label-smoothing = 0.05
doubly-stochastic = 0.01
validate-every = 10
cache = cache
flip = yes
[finetune]
epochs = 2
batch = 4
learning-rate = 1e-3
warm-up = 1
freeze-statistics = no
flip = yes
[scst]
epochs = 2
batch = 4
learning-rate = 1e-3
warm-up = 1
samples = 3
)";
  }

  Recipe recipe() const { return parse_recipe(recipe_text(), "tiny.conf", folder()); }
  Recipe distill_only() const {
    Recipe only = recipe();
    only.caption.reset();
    only.finetune.reset();
    only.scst.reset();
    return only;
  }
  /// Only the decoder on the maps of an encoder that stays as it is.
  Recipe caption_only() const {
    Recipe only = recipe();
    only.distill.reset();
    only.finetune.reset();
    only.scst.reset();
    return only;
  }
  /// Trains base.safetensors, to be gone on from.
  void make_base(const Recipe& recipe) const {
    Listener listener;
    Trainer(recipe, listener).run(Trainer::Start::kAnew);
    std::filesystem::rename(folder() / "tiny.safetensors", folder() / "base.safetensors");
  }
  std::string made() const { return read_file(folder() / "tiny.safetensors", kMaxBytes); }

  void expect_error(const Recipe& recipe, ErrorCode code, const ::testing::Matcher<std::string>& message) const {
    Listener listener;
    try {
      Trainer(recipe, listener).run(Trainer::Start::kOver);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(std::string(error.what()), message);
    }
  }

 private:
  testing::ScratchFolder scratch_;
};

}  // namespace glimpse::train
