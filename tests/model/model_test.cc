#include "model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "support/paths.h"
#include "support/tiny_model.h"

namespace glimpse {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return "";
}

std::string parse_error(std::string_view json) {
  return error_of([&] {
    std::string graph_file;
    config_from_json(json, "model.json", graph_file);
  });
}

TEST(Config, SurvivesTheRoundTrip) {
  ModelConfig config = testing::tiny_config();
  config.input.resize = Preprocess::Resize::kCentreCrop;
  config.input.rgb = false;
  config.input.mean = {117.3, 112.2, 102};
  config.decoder.score = DecoderConfig::Score::kAdditiveRelu;
  config.decoder.gate = DecoderConfig::Gate::kVector;
  config.decoder.init = DecoderConfig::Init::kTwoLayer;
  config.decoder.selector = DecoderConfig::Selector::kLocal;
  config.decoder.window = 1.5;
  config.decoder.heads = 2;
  config.decoder.channels = DecoderConfig::Channels::kSpatialChannel;
  config.decoder.history = DecoderConfig::History::kAdditive;
  config.decoder.output = DecoderConfig::Output::kDeep;
  config.provenance = R"({"data":"none"})";
  const std::string json = config_to_json(config);
  std::string graph_file;
  const ModelConfig read = config_from_json(json, "model.json", graph_file);
  EXPECT_EQ(config_to_json(read), json);
  EXPECT_EQ(graph_file, "encoder.graph");
  EXPECT_EQ(read.input.mean, config.input.mean);
  EXPECT_EQ(read.decoder.init, DecoderConfig::Init::kTwoLayer);
  EXPECT_EQ(read.decoder.selector, DecoderConfig::Selector::kLocal);
  EXPECT_EQ(read.decoder.window, 1.5);
  EXPECT_EQ(read.decoder.heads, 2);
  EXPECT_EQ(read.decoder.channels, DecoderConfig::Channels::kSpatialChannel);
  EXPECT_EQ(read.decoder.history, DecoderConfig::History::kAdditive);
  EXPECT_EQ(read.provenance, config.provenance);
}

TEST(Config, WhatOlderModelsDoNotSayIsOff) {
  Json json = Json::parse(config_to_json(testing::tiny_config()));
  for (const char* key : {"selector", "channels", "history"}) json["decoder"].erase(key);
  std::string graph_file;
  const DecoderConfig read = config_from_json(json.dump(), "model.json", graph_file).decoder;
  EXPECT_EQ(read.selector, DecoderConfig::Selector::kSoft);
  EXPECT_EQ(read.channels, DecoderConfig::Channels::kNone);
  EXPECT_EQ(read.history, DecoderConfig::History::kNone);
}

TEST(Config, KeepsTheDecodersText) {
  ModelConfig config = testing::tiny_config();
  config.decoder.graph = "# two lines\nembed e < token out=4 words=$vocabulary\noutput words < e\n";
  config.decoder.features = 12;
  config.decoder.never_emit = {0, 1};
  std::string graph_file;
  const DecoderConfig read = config_from_json(config_to_json(config), "model.json", graph_file).decoder;
  EXPECT_EQ(read.graph, config.decoder.graph);
  EXPECT_EQ(read.features, 12);
  EXPECT_EQ(read.never_emit, config.decoder.never_emit);
  EXPECT_EQ(decoder_formulas(read).front().second, "two lines");
}

TEST(Config, APastNeedsADeepOutput) {
  ModelConfig config = testing::tiny_config();
  config.decoder.history = DecoderConfig::History::kAdditive;
  EXPECT_EQ(parse_error(config_to_json(config)), "");
  config.decoder.output = DecoderConfig::Output::kPlain;
  EXPECT_THAT(parse_error(config_to_json(config)), HasSubstr("'decoder.history' needs a deep output"));
}

TEST(Config, EveryBadValueIsNamed) {
  struct Case {
    std::string pointer;
    Json value;  // null: the key is removed
    std::string message;
  };
  const Case cases[] = {
      {"/version", 2, "'version' is 2; this glimpse reads version 1"},
      {"/nmae", 1, "'nmae' is not a known key; did you mean 'name'?"},
      {"/name", nullptr, "'name' is missing"},
      {"/name", 3, "'name' is not a text"},
      {"/input", 3, "'input' is not an object"},
      {"/input/width", 0, "'input.width' is 0, not a whole number from 1 to 4096"},
      {"/input/width", 1e6, "not a whole number"},
      {"/input/width", "big", "not a whole number"},
      {"/input/resize", "squash", "'input.resize' is 'squash'; known are 'stretch', 'centre-crop', 'fit'"},
      {"/input/mean", {1, 2}, "three numbers"},
      {"/input/std", {1, 0, 1}, "deviations are above 0"},
      {"/encoder/graph", "../etc/passwd", "not the name of a file"},
      {"/encoder/rows", 100'000, "'encoder.rows'"},
      {"/decoder/kind", "transformer", "'decoder.kind' is 'transformer'"},
      {"/decoder/score", "dot", "'decoder.score' is 'dot'; known are"},
      {"/decoder/channels", "all", "'decoder.channels' is 'all'; known are 'none', 'channel, then spatial"},
      {"/decoder/history", true, "'decoder.history' is not a text"},
      {"/decoder/lstm", "gates i,f,o,g", "'decoder.lstm'"},
      {"/decoder/end_id", -1, "'decoder.end_id'"},
      {"/decoder/never_emit", {0, 2}, "captions could not end"},
      {"/provenance", "me", "'provenance' is not an object"},
  };
  const Json good = Json::parse(config_to_json(testing::tiny_config()));
  ASSERT_EQ(parse_error(good.dump()), "");
  for (const Case& c : cases) {
    Json bad = good;
    const Json::json_pointer pointer(c.pointer);
    if (c.value.is_null()) {
      bad.erase(c.pointer.substr(1));
    } else {
      bad[pointer] = c.value;
    }
    EXPECT_THAT(parse_error(bad.dump()), HasSubstr(c.message)) << c.pointer << " = " << c.value.dump();
    EXPECT_THAT(parse_error(bad.dump()), HasSubstr("'model.json'"));
  }
  EXPECT_THAT(parse_error("{"), HasSubstr("not JSON"));
  EXPECT_THAT(parse_error(std::string(1000, '[')), HasSubstr("nested too deeply"));
  EXPECT_THAT(parse_error("[1]"), HasSubstr("is not an object"));
}

TEST(Bundle, HoldsAllThatTheModelHas) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "tiny.safetensors";
  const Model tiny = testing::tiny_model();
  write_bundle(tiny, path);
  const Model read = Model::load(path);
  EXPECT_EQ(config_to_json(read.config()), config_to_json(tiny.config()));
  EXPECT_EQ(read.config().graph, tiny.config().graph);
  EXPECT_EQ(read.config().vocabulary, tiny.config().vocabulary);
  ASSERT_EQ(read.weights().tensors().size(), tiny.weights().tensors().size());
  for (const auto& [name, view] : tiny.weights().tensors()) {
    EXPECT_THAT(read.weights().load(name, view.shape).values(), ::testing::ElementsAreArray(to_float(view).values()));
  }
  const std::string bytes = read_file(path, 1 << 20);
  write_bundle(read, path);
  EXPECT_EQ(read_file(path, 1 << 20), bytes) << "packing what was packed gives the same file";
}

TEST(Bundle, OtherSafetensorsAreToldApart) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "other.safetensors";
  const Tensor tensor({1}, std::vector<float>{1});
  write_safetensors(path, {{"a", tensor.view()}}, {});
  EXPECT_THAT(error_of([&] { Model::load(path); }), HasSubstr("is not a glimpse model"));
}

TEST(Bundle, IdsBeyondTheVocabularyAreRefused) {
  const testing::ScratchFolder scratch;
  const auto path = scratch.path() / "tiny.safetensors";
  ModelConfig config = testing::tiny_config();
  config.decoder.never_emit = {0, 20};
  write_bundle({config, Weights("tiny", testing::tiny_tensors())}, path);
  EXPECT_THAT(error_of([&] { Model::load(path); }),
              HasSubstr("'decoder.never_emit' is 20, but the vocabulary has 20 words"));
}

TEST(Folder, TellsWhichFileIsMissing) {
  const testing::ScratchFolder scratch;
  try {
    Model::load(scratch.path());
    FAIL() << "an empty folder was loaded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMissing);
    EXPECT_THAT(error.what(), HasSubstr("model.json"));
  }
}

TEST(Folder, LoadsTheTrainedModels) {
  for (const std::string name : {"glimpse-seed", "teacher-sat"}) {
    GLIMPSE_REQUIRE_SHARED("models/" + name);
    const Model model = Model::load(testing::shared_path("models/" + name));
    EXPECT_EQ(model.config().name, name);
    EXPECT_EQ(model.config().vocabulary.size(), 3172U);
    EXPECT_EQ(model.config().vocabulary[4], "a");
    EXPECT_EQ(model.config().rows, 7);
    EXPECT_TRUE(model.weights().contains("lstm.weight_hh"));
  }
}

}  // namespace
}  // namespace glimpse
