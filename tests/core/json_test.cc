#include "core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"

namespace glimpse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Json, WritesWhatItReads) {
  const std::string text =
      R"({"b":[1,-2,0.5,1e-07,18446744073709551615],"a":{"deep":[null,true,"ü\n"]},"c":{},"d":[]})";
  EXPECT_EQ(parse_json(text, "file").dump(), text);
}

TEST(Json, BuildsObjectsInTheOrderOfTheirKeys) {
  Json json = {{"name", "a"}, {"box", Json::list({1, 2.5})}, {"inner", {{"yes", true}, {"none", Json()}}}};
  json["sizes"] = Json::list(std::vector<std::int64_t>{3, 4});
  json["more"].push_back({{"k", 1U}});
  json["name"] = std::string("b");
  EXPECT_EQ(json.dump(),
            R"({"name":"b","box":[1,2.5],"inner":{"yes":true,"none":null},"sizes":[3,4],"more":[{"k":1}]})");
  EXPECT_EQ(Json({{"a", 1}}).dump({.indent = 1}), "{\n \"a\": 1\n}");
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
}

TEST(Json, GivesValuesOnlyAsWhatTheyAre) {
  const Json json =
      parse_json(R"({"whole":7,"below":-7,"large":3000000000,"real":1.5,"text":"x","flag":true,"list":[1,2],
                                   "mixed":[1,"x"]})",
                 "file");
  EXPECT_EQ(json.at("whole").get<int>(), 7);
  EXPECT_EQ(json.at("whole").get<std::uint64_t>(), 7U);
  EXPECT_EQ(json.at("whole").get<double>(), 7.0);
  EXPECT_EQ(json.at("below").get<int>(), -7);
  EXPECT_EQ(json.at("below").get<std::uint64_t>(), std::nullopt);
  EXPECT_EQ(json.at("large").get<int>(), std::nullopt);
  EXPECT_EQ(json.at("large").get<std::int64_t>(), 3'000'000'000);
  EXPECT_EQ(json.at("real").get<int>(), std::nullopt);
  EXPECT_EQ(json.at("real").get<double>(), 1.5);
  EXPECT_EQ(json.at("text").get<std::string>(), "x");
  EXPECT_EQ(json.at("text").get<double>(), std::nullopt);
  EXPECT_EQ(json.at("flag").get<bool>(), true);
  EXPECT_EQ(json.at("flag").get<int>(), std::nullopt);
  EXPECT_THAT(json.at("list").get<std::vector<int>>().value(), ElementsAre(1, 2));
  EXPECT_EQ(json.at("mixed").get<std::vector<int>>(), std::nullopt);
  EXPECT_EQ(json.at("whole").get<std::vector<int>>(), std::nullopt);
  EXPECT_TRUE(json.at("whole").is_whole());
  EXPECT_FALSE(json.at("real").is_whole());
  EXPECT_EQ(json.find("missing"), nullptr);
  EXPECT_TRUE(json.at("missing").is_null());
  EXPECT_TRUE(json.at("text").at("inner").is_null());
  EXPECT_TRUE(json.at("text").items().empty());
}

TEST(Json, TakesTheLastOfTwoMembersWithOneKey) {
  const Json json = parse_json(R"({"a":1,"a":2})", "file");
  EXPECT_EQ(json.at("a").get<int>(), 2);
  EXPECT_EQ(json.members().size(), 2U);
}

TEST(Json, RefusesWithFileAndLine) {
  const auto error = [](const std::string& text, const JsonSource& source = {}) {
    return error_of([&] { parse_json(text, "f.json", source); });
  };
  EXPECT_EQ(error(""), "'f.json', line 1: not JSON from there on");
  EXPECT_EQ(error("{\n\"a\": 1,\n}"), "'f.json', line 3: not JSON from there on");
  EXPECT_EQ(error("[1,\n?", {.first_line = 7}), "'f.json', line 8: not JSON from there on");
  EXPECT_EQ(error("[1] 2"), "'f.json', line 1: not JSON from there on");
  EXPECT_EQ(error("\"\xff\""), "'f.json', line 1: not JSON from there on");
  EXPECT_EQ(error("[\n1e999]"), "'f.json', line 2: a number is out of range");
  EXPECT_EQ(error(std::string(17, '[') + std::string(17, ']')), "'f.json' is nested too deeply: more than 16 levels");
  EXPECT_EQ(error(std::string(2'000'000, '[')), "'f.json' is nested too deeply: more than 16 levels");
  EXPECT_EQ(error(std::string(16, '[') + std::string(16, ']')), "no error");
  EXPECT_EQ(error("{\"a\":[1]}", {.deepest = 1}), "'f.json' is nested too deeply: more than 1 levels");
}

TEST(Json, WritesTextThatIsNotUtf8OnlyWhereAskedTo) {
  const Json json = "a\xff";
  EXPECT_THAT(error_of([&] { json.dump(); }), HasSubstr("not UTF-8"));
  EXPECT_EQ(json.dump({.lenient = true}), "\"a\uFFFD\"");
  EXPECT_EQ(json.dump({.ascii = true, .lenient = true}), "\"a\\ufffd\"");
}

TEST(Json, FindsTheFirstOfSomeKeys) {
  const std::vector<std::string_view> keys = {"images", "image"};
  EXPECT_EQ(first_key(R"({"info": {"image": 1}, "images": [], "image": 2})", keys), "images");
  EXPECT_EQ(first_key("{\"image\": \"a\"}\n{\"image\": \"b\"}\n", keys), "image");
  EXPECT_EQ(first_key("{\"image\": nonsense", keys), "image");
  EXPECT_EQ(first_key("[{\"image\": 1}]", keys), "");
  EXPECT_EQ(first_key("{\"info\": nonsense, \"image\": 1}", keys), "");
  EXPECT_EQ(first_key("", keys), "");
}

}  // namespace
}  // namespace glimpse
