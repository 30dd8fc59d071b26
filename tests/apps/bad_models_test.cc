// Models that cannot be used: one clear line that names the file, exit code 3, nothing on standard output.
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;
using Tensors = std::map<std::string, Tensor, std::less<>>;

/// A bundle whose header has been changed by hand.
std::string with_header(const std::string& bundle, const std::function<void(Json&)>& change) {
  std::uint64_t size = 0;
  for (int i = 7; i >= 0; --i) size = size << 8 | static_cast<unsigned char>(bundle[static_cast<std::size_t>(i)]);
  Json header = Json::parse(bundle.substr(8, size));
  change(header);
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string length;
  for (std::size_t rest = text.size(), i = 0; i < 8; ++i, rest >>= 8) length += static_cast<char>(rest & 0xff);
  return length + text + bundle.substr(8 + size);
}

std::string bundle_bytes(const ModelConfig& config, Tensors tensors) {
  const ScratchFolder scratch;
  write_bundle(Model(config, Weights("tiny", std::move(tensors))), scratch.path() / "m");
  return read_whole(scratch.path() / "m");
}

/// The tiny model with something changed.
std::string changed(const std::function<void(ModelConfig&, Tensors&)>& change) {
  ModelConfig config = tiny_config();
  Tensors tensors = tiny_tensors();
  change(config, tensors);
  return bundle_bytes(config, std::move(tensors));
}

std::string header_changed(const std::function<void(Json&)>& change) {
  return with_header(bundle_bytes(tiny_config(), tiny_tensors()), change);
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

struct BadModel {
  const char* name;
  std::function<std::string()> make;
  const char* message;  ///< part of what is said, besides the file's name
};

const std::vector<BadModel>& bad_models() {
  static const std::vector<BadModel> kModels = {
      {"empty", [] { return std::string(); }, ""},
      {"html", [] { return std::string("<!DOCTYPE html><html>Not Found</html>"); }, ""},
      {"cut_in_size", [] { return changed([](ModelConfig&, Tensors&) {}).substr(0, 4); }, ""},
      {"cut_in_header", [] { return changed([](ModelConfig&, Tensors&) {}).substr(0, 100); }, ""},
      {"cut_in_tensors",
       [] {
         const std::string whole = changed([](ModelConfig&, Tensors&) {});
         return whole.substr(0, whole.size() - 100);
       },
       ""},
      {"overlap",
       [] {
         return header_changed(
             [](Json& header) { header["c2.bias"]["data_offsets"] = header["c1.bias"]["data_offsets"]; });
       },
       "c2.bias"},
      {"beyond_the_end",
       [] {
         return header_changed([](Json& header) {
           header["c1.bias"]["data_offsets"] = {std::uint64_t{1} << 40, (std::uint64_t{1} << 40) + 32};
         });
       },
       "c1.bias"},
      {"overflowing_shape",
       [] {
         return header_changed([](Json& header) {
           header["c1.bias"]["shape"] = {std::int64_t{1} << 40, std::int64_t{1} << 40};
         });
       },
       "c1.bias"},
      {"no_metadata", [] { return header_changed([](Json& header) { header.erase("__metadata__"); }); }, "model.json"},
      {"version",
       [] {
         return header_changed([](Json& header) {
           auto config = Json::parse(header["__metadata__"]["model.json"].get<std::string>());
           config["version"] = 99;
           header["__metadata__"]["model.json"] = config.dump();
         });
       },
       "99"},
      {"encoder_shape",
       [] { return changed([](ModelConfig&, Tensors& tensors) {
              tensors["c2.weight"] = Tensor(Shape{8, 8, 1, 9});
            }); },
       "c2.weight"},
      {"decoder_shape",
       [] {
         return changed([](ModelConfig&, Tensors& tensors) {
           tensors["lstm.bias"] = Tensor({24}, tensors["lstm.bias"].values().first(24));
         });
       },
       "lstm.bias"},
      {"encoder_tensor_missing",
       [] { return changed([](ModelConfig&, Tensors& tensors) { tensors.erase("c2.bias"); }); }, "c2.bias"},
      {"decoder_tensor_missing",
       [] { return changed([](ModelConfig&, Tensors& tensors) { tensors.erase("lstm.weight_hh"); }); },
       "lstm.weight_hh"},
      {"encoder_nan",
       [] { return changed([](ModelConfig&, Tensors& tensors) { tensors["c2.weight"].values()[3] = std::nanf(""); }); },
       "c2.weight"},
      {"decoder_infinity",
       [] {
         return changed([](ModelConfig&, Tensors& tensors) {
           tensors["output.weight"].values()[5] = std::numeric_limits<float>::infinity();
         });
       },
       "output.weight"},
      {"word_too_many",
       [] { return changed([](ModelConfig& config, Tensors&) { config.vocabulary.emplace_back("extra"); }); }, "21"},
      {"word_missing", [] { return changed([](ModelConfig& config, Tensors&) { config.vocabulary.pop_back(); }); },
       "19"},
      {"word_twice",
       [] { return changed([](ModelConfig& config, Tensors&) { config.vocabulary[7] = config.vocabulary[8]; }); },
       "worde"},
      {"unknown_op",
       [] { return changed([](ModelConfig& config, Tensors&) { replace(config.graph, "conv c3", "convv c3"); }); },
       "convv"},
      {"unknown_input",
       [] { return changed([](ModelConfig& config, Tensors&) { replace(config.graph, "< c2", "< c9"); }); }, "c9"},
      {"no_such_output", [] { return changed([](ModelConfig& config, Tensors&) { config.output_node = "map"; }); },
       "map"},
      {"map_size", [] { return changed([](ModelConfig& config, Tensors&) { config.rows = 5; }); }, "5"},
  };
  return kModels;
}

class BadModelsTest : public AppTest {
 protected:
  BadModelsTest() { add_picture("a.ppm"); }

  void expect_refused(const ProcessResult& result, const std::string& file, const std::string& message) const {
    EXPECT_EQ(result.code, 3);
    EXPECT_EQ(result.output, "");
    EXPECT_EQ(split_lines(result.errors).size(), 1U) << result.errors;
    EXPECT_THAT(result.errors, StartsWith("glimpse: error: "));
    EXPECT_THAT(result.errors, HasSubstr(file));
    EXPECT_THAT(result.errors, HasSubstr(message));
  }
};

TEST_F(BadModelsTest, AreRefusedByEveryCommand) {
  for (const BadModel& bad : bad_models()) {
    const std::string file = std::string(bad.name) + ".safetensors";
    SCOPED_TRACE(file);
    write_file(path(file), bad.make());
    expect_refused(glimpse({"caption", "-m", file, "a.ppm"}), file, bad.message);
    expect_refused(glimpse({"info", file}), file, bad.message);
  }
}

TEST_F(BadModelsTest, TheUnchangedOneIsNot) {
  write_file(path("fine.safetensors"), header_changed([](Json&) {}));
  const ProcessResult result = glimpse({"caption", "-m", "fine.safetensors", "a.ppm"});
  EXPECT_EQ(result.code, 0) << result.errors;
}

TEST_F(BadModelsTest, MissingFilesAndFoldersAreRefused) {
  std::filesystem::create_directories(path("folder"));
  expect_refused(glimpse({"caption", "-m", "gone.safetensors", "a.ppm"}), "'gone.safetensors'", "");
  expect_refused(glimpse({"caption", "-m", "folder", "a.ppm"}), "folder/model.json", "");
  expect_refused(glimpse({"caption", "-m", "a.ppm", "a.ppm"}), "'a.ppm'", "");
  expect_refused(glimpse({"pack", "folder", "-o", "x.safetensors"}), "folder/model.json", "");
  EXPECT_FALSE(std::filesystem::exists(path("x.safetensors")));
}

TEST_F(BadModelsTest, TheVariableIsNamedWhereItIsToBlame) {
  ProcessOptions all = options({"caption", "a.ppm"});
  all.environment.emplace_back("GLIMPSE_MODEL", "gone.safetensors");
  expect_refused(run_glimpse(all), "'gone.safetensors'", "GLIMPSE_MODEL");
}

}  // namespace
}  // namespace glimpse::testing
