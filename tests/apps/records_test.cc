// Records: text, JSON lines, CSV.
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

/// RFC 4180: the fields of each row.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& field = rows.back().back();
    if (in_quotes) {
      if (text[i] != '"') {
        field += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += text[++i];
      } else {
        in_quotes = false;
      }
    } else if (text[i] == '"' && field.empty()) {
      in_quotes = true;
    } else if (text[i] == ',') {
      rows.back().emplace_back();
    } else if (text.substr(i, 2) == "\r\n") {
      rows.emplace_back(1);
      ++i;
    } else {
      field += text[i];
    }
  }
  EXPECT_EQ(rows.back(), std::vector<std::string>{""}) << "the last line does not end";
  rows.pop_back();
  return rows;
}

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> names;
  for (const auto& [key, value] : json.items()) names.push_back(key);
  return names;
}

class RecordsTest : public AppTest {
 protected:
  RecordsTest() {
    add_picture("a.ppm", 1);
    add_picture("b.ppm", 2);
  }
};

TEST_F(RecordsTest, JsonHasTheDocumentedShape) {
  const ProcessResult result = glimpse({"caption", "--format", "json", "--attention", "--top", "3", "a.ppm"});
  ASSERT_EQ(result.code, 0) << result.errors;
  ASSERT_EQ(split_lines(result.output).size(), 1U);
  const Json json = Json::parse(result.output);
  EXPECT_THAT(keys(json), ElementsAre("path", "width", "height", "caption", "log_prob", "score", "words", "attention",
                                      "candidates", "model"));
  EXPECT_EQ(json["width"], 48);
  EXPECT_EQ(json["height"], 32);
  EXPECT_EQ(json["model"], "tiny");
  std::string text;
  for (const Json& word : json["words"]) {
    EXPECT_THAT(keys(word), ElementsAre("word", "log_prob", "beta", "box"));
    EXPECT_EQ(word["box"].size(), 4U);
    EXPECT_LE(word["log_prob"], 0);
    text += (text.empty() ? "" : " ") + word["word"].get<std::string>();
  }
  EXPECT_EQ(json["caption"], text);
  EXPECT_EQ(json["attention"]["rows"], 4);
  EXPECT_EQ(json["attention"]["cols"], 4);
  ASSERT_EQ(json["attention"]["weights"].size(), json["words"].size());
  for (const Json& row : json["attention"]["weights"]) {
    const auto weights = row.get<std::vector<double>>();
    ASSERT_EQ(weights.size(), 16U);
    EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1, 1e-4);
  }
  ASSERT_EQ(json["candidates"].size(), 3U);
  EXPECT_EQ(json["candidates"][0]["caption"], json["caption"]);
  EXPECT_GE(json["candidates"][0]["score"], json["candidates"][1]["score"]);
}

TEST_F(RecordsTest, PartsThatWereNotAskedForAreNotThere) {
  const ProcessResult result = glimpse({"caption", "--format", "json", "a.ppm"});
  EXPECT_THAT(keys(Json::parse(result.output)),
              ElementsAre("path", "width", "height", "caption", "log_prob", "score", "words", "model"));
}

TEST_F(RecordsTest, TheSameInputGivesTheSameBytes) {
  const std::vector<std::string> arguments = {"caption", "--format", "json", "--attention", "a.ppm", "b.ppm"};
  const ProcessResult first = glimpse(arguments);
  ASSERT_EQ(first.code, 0) << first.errors;
  EXPECT_EQ(glimpse(arguments).output, first.output);
  const std::vector<std::string> sampled = {"caption", "--sample", "top-k=5", "--seed", "3", "a.ppm"};
  EXPECT_EQ(glimpse(sampled).output, glimpse(sampled).output);
}

TEST_F(RecordsTest, TimesAppearOnlyWhereAskedFor) {
  const Json json = Json::parse(glimpse({"caption", "--format", "json", "--timing", "a.ppm"}).output);
  EXPECT_GT(json["ms"], 0);
  EXPECT_THAT(glimpse({"caption", "--timing", "a.ppm"}).output,
              ::testing::MatchesRegex("a\\.ppm\t[a-z ]+\t[0-9.]+ ms\n"));
  EXPECT_EQ(parse_csv(glimpse({"caption", "--format", "csv", "--timing", "a.ppm"}).output).at(0).at(7), "ms");
}

TEST_F(RecordsTest, SeveralCaptionsAreALineEach) {
  const ProcessResult result = glimpse({"caption", "-n", "4", "a.ppm"});
  EXPECT_EQ(result.code, 0) << result.errors;
  const std::vector<std::string_view> lines = split_lines(result.output);
  ASSERT_EQ(lines.size(), 4U);
  for (const std::string_view line : lines) {
    EXPECT_THAT(std::string(line), ::testing::MatchesRegex("a\\.ppm\t[a-z ]+\t-[0-9]+\\.[0-9]{4}"));
  }
}

TEST_F(RecordsTest, CsvParses) {
  add_picture("comma, \"quoted\"\nname.ppm");
  const ProcessResult result =
      glimpse({"caption", "--format", "csv", "-n", "2", "a.ppm", "comma, \"quoted\"\nname.ppm", "gone.ppm"});
  EXPECT_EQ(result.code, 4);
  const auto rows = parse_csv(result.output);
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_THAT(rows[0],
              ElementsAre("path", "width", "height", "rank", "caption", "log_prob", "score", "model", "error"));
  for (const auto& row : rows) EXPECT_EQ(row.size(), rows[0].size());
  EXPECT_EQ(rows[1][0], "a.ppm");
  EXPECT_EQ(rows[2][3], "2");
  EXPECT_EQ(rows[3][0], "comma, \"quoted\"\nname.ppm");
  EXPECT_EQ(rows[5][0], "gone.ppm");
  EXPECT_EQ(rows[5][4], "");
  EXPECT_THAT(rows[5][8], HasSubstr("gone.ppm"));
}

TEST_F(RecordsTest, NamesThatAreNotUtf8AreValidInJson) {
  add_picture("caf\xe9.ppm");
  const ProcessResult result = glimpse({"caption", "--format", "json", "caf\xe9.ppm", "gone\xff.ppm"});
  EXPECT_EQ(result.code, 4);
  const std::vector<std::string_view> lines = split_lines(result.output);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(Json::parse(lines[0])["path"], "caf\xef\xbf\xbd.ppm");
  EXPECT_EQ(Json::parse(lines[1])["path"], "gone\xef\xbf\xbd.ppm");
}

TEST_F(RecordsTest, OptionsOfTheSearchReachIt) {
  const auto caption = [&](std::vector<std::string> extra) {
    std::vector<std::string> arguments = {"caption", "--format", "json", "a.ppm"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    const ProcessResult result = glimpse(arguments);
    EXPECT_EQ(result.code, 0) << result.errors;
    return Json::parse(result.output);
  };
  EXPECT_EQ(caption({"--max-words", "2"})["words"].size(), 2U);
  EXPECT_GE(caption({"--min-words", "7"})["words"].size(), 7U);
  EXPECT_THAT(caption({"--prefix", "wordc wordd"})["caption"].get<std::string>(), ::testing::StartsWith("wordc wordd"));
  EXPECT_THAT(caption({"--require", "wordk"})["caption"].get<std::string>(), HasSubstr("wordk"));
  const auto first = caption({})["words"][0]["word"].get<std::string>();
  EXPECT_THAT(caption({"--forbid", first})["caption"].get<std::string>(), ::testing::Not(HasSubstr(first)));
}

}  // namespace
}  // namespace glimpse::testing
