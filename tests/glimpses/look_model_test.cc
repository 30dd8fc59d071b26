#include "glimpses/look_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "model/model.h"
#include "support/paths.h"
#include "support/tiny_look_model.h"
#include "support/tiny_model.h"

namespace glimpse {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Kind = LookConfig::Kind;
using Core = LookConfig::Core;

std::string complaint(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return "none";
}

std::map<std::string, TensorView, std::less<>> views(const Weights& weights) { return weights.tensors(); }

TEST(LookModel, WhatIsWrittenIsRead) {
  const testing::ScratchFolder scratch;
  for (const Kind kind : {Kind::kRam, Kind::kDram}) {
    LookConfig config = testing::tiny_look_config(kind, Core::kLstm);
    config.provenance = R"({"recipe":"x"})";
    const LookModel model = testing::tiny_look_model(config);
    const auto path = scratch.path() / "m.safetensors";
    write_look_bundle(config, views(model.weights()), path);
    const LookModel read = LookModel::load(path);
    EXPECT_EQ(look_config_to_json(read.config()), look_config_to_json(config));
    EXPECT_EQ(read.config().classes, config.classes);
    EXPECT_EQ(read.config().provenance, config.provenance);
    EXPECT_EQ(read.weights().tensors().size(), model.weights().tensors().size());
    EXPECT_EQ(read.weights().at("class.weight").dtype, DType::kF16);
  }
}

TEST(LookModel, TheKindsOfModelAreToldApart) {
  const testing::ScratchFolder scratch;
  const auto captioner = scratch.path() / "captioner.safetensors";
  write_bundle(testing::tiny_model(), captioner);
  EXPECT_THAT(complaint([&] { LookModel::load(captioner); }),
              AllOf(HasSubstr("captioner.safetensors"), HasSubstr("of a captioner; 'glimpse caption' runs it")));
  const auto look = scratch.path() / "look.safetensors";
  const LookModel model = testing::tiny_look_model(testing::tiny_look_config());
  write_look_bundle(model.config(), views(model.weights()), look);
  EXPECT_THAT(complaint([&] { Model::load(look); }),
              AllOf(HasSubstr("look.safetensors"), HasSubstr("'kind'"), HasSubstr("'glimpse look' runs such a model")));
  write_safetensors(scratch.path() / "bare.safetensors", {}, {});
  EXPECT_THAT(complaint([&] { LookModel::load(scratch.path() / "bare.safetensors"); }),
              HasSubstr("not a glimpse model"));
}

TEST(LookModel, WhatIsWrongIsNamed) {
  const auto json = nlohmann::json::parse(look_config_to_json(testing::tiny_look_config(Kind::kDram, Core::kLstm)));
  const auto changed = [&](const std::function<void(nlohmann::json&)>& change) {
    nlohmann::json other = json;
    change(other);
    return complaint([&] { look_config_from_json(other.dump(), "f.json"); });
  };
  EXPECT_EQ(changed([](auto&) {}), "none");
  EXPECT_THAT(changed([](auto& j) { j["kind"] = "rams"; }), AllOf(HasSubstr("'rams'"), HasSubstr("'dram'")));
  EXPECT_THAT(changed([](auto& j) { j["core"] = "gru"; }), HasSubstr("'core' is 'gru'"));
  EXPECT_THAT(changed([](auto& j) { j["glimpses"] = 0; }), HasSubstr("'glimpses' is 0"));
  EXPECT_THAT(changed([](auto& j) { j["retina"]["scale"] = 2; }), HasSubstr("did you mean 'scales'?"));
  EXPECT_THAT(changed([](auto& j) { j["retina"].erase("patch"); }), HasSubstr("'retina.patch' is missing"));
  EXPECT_THAT(changed([](auto& j) { j["classes"] = nlohmann::json::array(); }), HasSubstr("'classes' are 0"));
  EXPECT_THAT(changed([](auto& j) { j["classes"] = {1, 2}; }), HasSubstr("list of texts"));
  EXPECT_THAT(changed([](auto& j) { j["coarse"] = 5; }), HasSubstr("squares of 5 do not fill"));
  EXPECT_THAT(changed([](auto& j) { j["input"]["colour"] = "RGB"; }), HasSubstr("'input.colour'"));
  EXPECT_THAT(changed([](auto& j) { j["kind"] = "ram", j.erase("coarse"); }), HasSubstr("2 objects"));
  EXPECT_THAT(changed([](auto& j) { j["retina"] = {{"patch", 256}, {"scales", 8}}; }), HasSubstr("32768 pixels wide"));
  EXPECT_THAT(changed([](auto& j) { j["version"] = 2; }), HasSubstr("a newer glimpse may be needed"));
  EXPECT_THAT(changed([](auto& j) { j.erase("kind"); }), HasSubstr("'kind' is missing"));
}

TEST(LookModel, TensorsThatDoNotFitAreNamed) {
  const testing::ScratchFolder scratch;
  const LookConfig config = testing::tiny_look_config();
  const auto path = scratch.path() / "m.safetensors";
  const auto loaded = [&](const std::function<void(std::map<std::string, Tensor, std::less<>>&)>& change) {
    auto tensors = testing::tiny_look_tensors(config);
    change(tensors);
    write_look_bundle(config, views(Weights("tiny", std::move(tensors))), path);
    return complaint([&] { LookModel::load(path); });
  };
  EXPECT_EQ(loaded([](auto&) {}), "none");
  EXPECT_THAT(loaded([](auto& t) { t.erase("place.bias"); }), HasSubstr("'place.bias'"));
  EXPECT_THAT(loaded([](auto& t) { t["where.weight"] = t.at("retina.weight").clone(); }),
              HasSubstr("[7,32], not [7,2]"));
}

}  // namespace
}  // namespace glimpse
