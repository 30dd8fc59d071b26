/// Random graphs: batch norm, activations, residual sums and outputs in random order. Each must equal the literal
/// reference.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compare.h"
#include "core/random.h"

namespace glimpse::net {
namespace {

using testing::expect_like_reference;

/// A network whose values are all [N,C,H,W], [N,C,1,1] or [N,1,H,W], a node a line. C fills blocks of 8 and 16 channels
/// or does not.
class RandomGraph {
 public:
  explicit RandomGraph(std::uint64_t seed) : random_(seed) {
    out_ = " out=" + std::to_string(random_.below(2) == 0 ? 16 : 6);
    text_ = "conv n0 < image" + out_ + " k=3 pad=1\n";
    const std::uint64_t count = 3 + random_.below(12);
    for (std::uint64_t i = 0; i < count; ++i) add_node();
    text_ += "output " + maps_.back() + "\n";
  }

  const std::string& text() const { return text_; }

  /// The last map, and one or two others.
  std::vector<std::string> outputs() {
    std::vector<std::string> names = {maps_.back()};
    const std::string& other = maps_[1 + random_.below(maps_.size() - 1)];
    if (other != names[0]) names.push_back(other);
    return names;
  }

 private:
  /// Recent values are likelier, so that chains form.
  const std::string& map() {
    const std::uint64_t recent = std::min<std::uint64_t>(maps_.size(), random_.below(3) == 0 ? maps_.size() : 2);
    return maps_[maps_.size() - 1 - random_.below(recent)];
  }

  std::string activation() {
    static constexpr const char* kChoices[] = {"", "", "", " act=relu", " act=clip lo=-0.5 hi=1", " act=gelu"};
    return kChoices[random_.below(std::size(kChoices))];
  }

  void add(const std::string& op, const std::string& inputs, const std::string& attributes) {
    const std::string name = "n" + std::to_string(count_++);
    text_ += op + " " + name + " < " + inputs + attributes + "\n";
    maps_.push_back(name);
  }

  void add_node() {
    const std::string side = "s" + std::to_string(count_);
    switch (random_.below(12)) {
      case 0:
        return add("conv", map(), out_ + " k=3 pad=1 bias=0" + activation());
      case 1:
        return add("conv", map(), out_ + " k=1" + activation());
      case 2:
        return add("conv", map(), out_ + " k=3 pad=2 dilation=2 groups=in" + activation());
      case 3:
      case 4:
        return add("batchnorm", map(), activation());
      case 5:
      case 6:
        return add("add", map() + " " + map(), activation());
      case 7:
        return add("act", map(), " act=relu");
      case 8:
        if (random_.below(3) == 0) return add("selfattention", map(), " heads=1");
        return add(random_.below(2) == 0 ? "se" : "cbam", map(), " squeeze=2");
      case 9:
        return add("maxpool", map(), " k=3 s=1 pad=1");
      case 10:
        text_ += "concat " + side + " < " + map() + " " + map() + "\n";
        return add("conv", side, out_ + " k=1" + activation());
      default:
        text_ += random_.below(2) == 0 ? "globalavgpool " + side + " < " + map() + "\n"
                                       : "conv " + side + " < " + map() + " out=1 k=1 act=sigmoid\n";
        return add(random_.below(2) == 0 ? "add" : "mul", map() + " " + side, " act=tanh");
    }
  }

  Random random_;
  std::string out_;
  std::string text_;
  std::vector<std::string> maps_ = {"n0"};
  int count_ = 1;
};

TEST(RandomGraphs, EqualTheReference) {
  constexpr std::uint64_t kGraphs = 200;
  for (std::uint64_t seed = 0; seed < kGraphs; ++seed) {
    RandomGraph random(seed);
    SCOPED_TRACE("RandomGraph(" + std::to_string(seed) + "):\n" + random.text());
    CompileOptions options;
    options.outputs = random.outputs();
    expect_like_reference(parse_graph(random.text(), "random.graph"), {2, 3, 7, 6}, options,
                          {{dnn::Tuning::kDirect, 1e-5}, {dnn::Tuning::kWinograd, 1e-4}});
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace glimpse::net
