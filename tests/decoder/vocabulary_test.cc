#include "decoder/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace glimpse {
namespace {

const std::vector<std::string> kWords = {"<pad>", "<start>", "<end>", "<unk>", "a",    "dog",
                                         "runs",  "man's",   "red",   "t",     "café", "2"};

TEST(Vocabulary, FindsAndDecodes) {
  const Vocabulary vocabulary(kWords);
  EXPECT_EQ(vocabulary.size(), 12);
  EXPECT_EQ(vocabulary.word(5), "dog");
  EXPECT_EQ(vocabulary.find("dog"), 5);
  EXPECT_EQ(vocabulary.find("cat"), std::nullopt);
  EXPECT_EQ(vocabulary.decode(std::vector<int>{4, 5, 6}), "a dog runs");
  EXPECT_EQ(vocabulary.decode({}), "");
}

TEST(Vocabulary, EncodesAsCaptionsWereTokenised) {
  const Vocabulary vocabulary(kWords);
  using Ids = std::vector<int>;
  EXPECT_EQ(vocabulary.encode("A dog RUNS."), (Ids{4, 5, 6}));
  EXPECT_EQ(vocabulary.encode("  a\tman's\nred-t "), (Ids{4, 7, 8, 9}));
  EXPECT_EQ(vocabulary.encode("\"dog\", (2) café!"), (Ids{5, 11, 10}));
  EXPECT_EQ(vocabulary.encode(""), Ids{});
  EXPECT_EQ(vocabulary.encode(" \n"), Ids{});
}

TEST(Vocabulary, UnknownWordsAreNamedWithTheNearest) {
  const Vocabulary vocabulary(kWords);
  const std::vector<std::vector<std::string>> cases = {
      {"a dgo", "'dgo'", "'dog'"}, {"xylophone", "'xylophone'"}, {"!?", "'!?'"}, {"<start>", "'start'"}};
  for (const std::vector<std::string>& test : cases) {
    try {
      vocabulary.encode(test[0]);
      ADD_FAILURE() << test[0];
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      for (std::size_t i = 1; i < test.size(); ++i) EXPECT_THAT(error.what(), ::testing::HasSubstr(test[i]));
    }
  }
}

TEST(Vocabulary, HostileOnesAreRefused) {
  const std::vector<std::vector<std::string>> cases = {
      {"a", "b", "a"}, {"a", ""}, {"a", "b\n"}, {"a", "\x1b[31mred"}, {"a", "two words"},
      {"a", "\x7f"},   {"\xff"},  {"a\tb"},     {"a", "\xc3"},        {"a", std::string("nul\0", 4)}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    try {
      const Vocabulary vocabulary(cases[i]);
      ADD_FAILURE() << "case " << i;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel) << "case " << i;
      EXPECT_THAT(error.what(), ::testing::HasSubstr("word " + std::to_string(cases[i].size() - 1))) << "case " << i;
      EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\x1b"))) << "case " << i;
    }
  }
}

}  // namespace
}  // namespace glimpse
