/// Trained networks against outputs that an independent program computed (f32, from the same F16 weights).
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "core/file.h"
#include "net/compile.h"
#include "reference_net.h"
#include "support/npy.h"
#include "support/paths.h"
#include "support/random_tensor.h"

namespace glimpse::net {
namespace {

using glimpse::testing::read_npy;
using glimpse::testing::shared_path;
using testing::relative_error;

constexpr double kTolerance = 1e-3;

struct Normalisation {
  std::array<float, 3> mean;
  std::array<float, 3> deviation;
};

/// The picture as [1,3,H,W] in RGB, (value − mean) / deviation.
Tensor load_picture(const std::filesystem::path& path, const Normalisation& by) {
  const cv::Mat picture = cv::imread(path.string(), cv::IMREAD_COLOR);  // BGR
  if (picture.empty()) throw std::runtime_error("cannot read " + path.string());
  Tensor tensor({1, 3, picture.rows, picture.cols});
  float* out = tensor.data();
  for (std::size_t c = 0; c < 3; ++c) {
    for (int y = 0; y < picture.rows; ++y) {
      for (int x = 0; x < picture.cols; ++x) {
        const auto value = static_cast<float>(picture.at<cv::Vec3b>(y, x)[static_cast<int>(2 - c)]);
        *out++ = (value - by.mean[c]) / by.deviation[c];
      }
    }
  }
  return tensor;
}

GraphSpec load_graph(const std::string& path) {
  return parse_graph(read_file(shared_path(path), 1 << 20), shared_path(path).string());
}

void run(dnn::Session& session, const Tensor& picture) {
  std::copy(picture.values().begin(), picture.values().end(), session.input().begin());
  session.run();
}

class Golden : public ::testing::TestWithParam<dnn::Tuning> {
 protected:
  static CompileOptions options(std::vector<std::string> outputs) {
    CompileOptions options;
    options.outputs = std::move(outputs);
    options.plan.tuning = GetParam();
    options.plan.threads = 2;
    return options;
  }
};

TEST_P(Golden, ClassifierGivesFeaturesAndLogits) {
  GLIMPSE_REQUIRE_SHARED("data/teacher/mobilenet_edgetpu.graph");
  GLIMPSE_REQUIRE_SHARED("models/teacher-sat/weights.safetensors");
  const GraphSpec graph = load_graph("data/teacher/mobilenet_edgetpu.graph");
  const Weights weights(shared_path("models/teacher-sat/weights.safetensors"));
  dnn::Session session(compile(graph, weights, options({"n191", "n194"})));
  run(session,
      load_picture(shared_path("data/teacher/golden_input.png"), {{127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}}));
  const Tensor features = read_npy(shared_path("data/teacher/golden_mobilenet_edgetpu_features.npy"));  // [1,1280,7,7]
  const Tensor logits = read_npy(shared_path("data/teacher/golden_mobilenet_edgetpu_logits.npy"));      // [1,1001]
  const double feature_error = relative_error(session.output(0), features.values());
  const double logit_error = relative_error(session.output(1), logits.values());
  RecordProperty("feature_error", std::to_string(feature_error));
  RecordProperty("logit_error", std::to_string(logit_error));
  EXPECT_LE(feature_error, kTolerance);
  EXPECT_LE(logit_error, kTolerance);
}

TEST_P(Golden, EncodersGiveFeatures) {
  struct Case {
    std::string model;
    std::string output;
    Normalisation normalisation;
  };
  const Case cases[] = {
      {"glimpse-seed", "map", {{117.3F, 112.2F, 102.0F}, {68.85F, 67.575F, 71.4F}}},
      {"teacher-sat", "n191", {{127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}}},
  };
  const std::string photo = "models/golden-photos/300314926_0b2e4b64f5.png";  // the first of golden.json
  GLIMPSE_REQUIRE_SHARED(photo);
  for (const Case& c : cases) {
    const std::string folder = "models/" + c.model + "/";
    GLIMPSE_REQUIRE_SHARED(folder + "encoder.graph");
    const Weights weights(shared_path(folder + "weights.safetensors"));
    dnn::Session session(compile(load_graph(folder + "encoder.graph"), weights, options({c.output})));
    run(session, load_picture(shared_path(photo), c.normalisation));
    const Tensor features = read_npy(shared_path(folder + "golden/features_0.npy"));  // [1,C,7,7]
    const double error = relative_error(session.output(), features.values());
    RecordProperty(c.model, std::to_string(error));
    EXPECT_LE(error, kTolerance) << c.model;
  }
}

/// Replaces `from`, which must be there, in the line of node `node`.
void edit_line(std::string& text, const std::string& node, const std::string& from, const std::string& to) {
  const std::size_t line = text.find(" " + node + " < ");
  const std::size_t at = text.find(from, line);
  if (line == std::string::npos || at == std::string::npos || text.find('\n', line) < at) {
    throw std::runtime_error("no " + from + " in the line of " + node);
  }
  text.replace(at, from.size(), to);
}

// A stride taken out and made up for by dilation gives a map twice as fine, of which every second cell is as before.
TEST_P(Golden, DilatedEncoderHasTheCoarseMapInEverySecondCell) {
  GLIMPSE_REQUIRE_SHARED("models/teacher-sat/encoder.graph");
  const std::string coarse = read_file(shared_path("models/teacher-sat/encoder.graph"), 1 << 20);
  std::string fine = coarse;
  edit_line(fine, "n160", "s=2 groups=768 pad=1,1,2,2", "s=1 groups=768 pad=1,1,3,3");
  for (const char* node : {"n166", "n173", "n180"}) edit_line(fine, node, "pad=2,2,2,2", "pad=4,4,4,4 dilation=2");
  edit_line(fine, "n187", "pad=1,1,1,1", "pad=2,2,2,2 dilation=2");
  const Weights weights(shared_path("models/teacher-sat/weights.safetensors"));
  const Tensor picture = glimpse::testing::uniform_tensor({1, 3, 224, 224}, 1);
  dnn::Session coarse_session(compile(parse_graph(coarse, "coarse.graph"), weights, options({"n191"})));
  dnn::Session fine_session(compile(parse_graph(fine, "fine.graph"), weights, options({"n191"})));
  run(coarse_session, picture);
  run(fine_session, picture);
  constexpr std::int64_t kChannels = 1280;
  ASSERT_EQ(coarse_session.output().size(), static_cast<std::size_t>(kChannels * 7 * 7));
  ASSERT_EQ(fine_session.output().size(), static_cast<std::size_t>(kChannels * 14 * 14));
  Tensor second({1, kChannels, 7, 7});
  float* out = second.data();
  for (std::int64_t c = 0; c < kChannels; ++c) {
    for (std::int64_t y = 0; y < 14; y += 2) {
      for (std::int64_t x = 0; x < 14; x += 2) {
        *out++ = fine_session.output()[static_cast<std::size_t>((c * 14 + y) * 14 + x)];
      }
    }
  }
  EXPECT_LE(relative_error(second.values(), coarse_session.output()), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(All, Golden, ::testing::Values(dnn::Tuning::kDirect, dnn::Tuning::kWinograd),
                         [](const auto& info) {
                           return std::string(info.param == dnn::Tuning::kDirect ? "Direct" : "Winograd");
                         });

}  // namespace
}  // namespace glimpse::net
