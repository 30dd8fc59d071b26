#include "core/text.h"

#include <gtest/gtest.h>

namespace glimpse {
namespace {

using Views = std::vector<std::string_view>;

TEST(Utf8, AcceptsWhatIsWellFormedAndNothingElse) {
  struct Case {
    std::string_view bytes;
    std::size_t length;
  };
  const Case cases[] = {
      {"a", 1},                 //
      {"\xc3\xa9", 2},          // é
      {"\xe2\x82\xac", 3},      // €
      {"\xf0\x9f\x98\x80", 4},  // an emoji
      {"\x80", 0},              // a continuation alone
      {"\xc0\xaf", 0},          // overlong
      {"\xe0\x80\xaf", 0},      // overlong
      {"\xf0\x80\x80\xaf", 0},  // overlong
      {"\xed\xa0\x80", 0},      // a surrogate
      {"\xf4\x90\x80\x80", 0},  // beyond U+10FFFF
      {"\xe2\x82", 0},          // cut short
      {"\xe2(\xa1", 0},         // broken in the middle
      {"", 0},
  };
  for (const Case& c : cases) EXPECT_EQ(utf8_sequence_length(c.bytes), c.length) << ::testing::PrintToString(c.bytes);
}

TEST(Utf8, ReplacesOnlyBrokenBytes) {
  EXPECT_EQ(to_valid_utf8("a\xff"
                          "b\xc3\xa9"),
            "a\xef\xbf\xbd"
            "b\xc3\xa9");
}

TEST(Split, WordsAndLines) {
  EXPECT_EQ(split_words("  a\tbc \n d"), (Views{"a", "bc", "d"}));
  EXPECT_TRUE(split_words(" \t").empty());
  EXPECT_EQ(split_lines("a\r\n\nb"), (Views{"a", "", "b"}));
  EXPECT_EQ(split_lines("a\n"), (Views{"a"}));
  EXPECT_TRUE(split_lines("").empty());
}

TEST(Nearest, SuggestsTyposAndNothingFarAway) {
  const Views words = {"length-penalty", "max-words", "beam"};
  EXPECT_EQ(nearest("lenght-penalty", words), "length-penalty");
  EXPECT_EQ(nearest("baem", words), "beam");
  EXPECT_EQ(nearest("bean", words), "beam");
  EXPECT_EQ(nearest("colour", words), "");
  EXPECT_EQ(nearest(std::string(100'000, 'x'), words), "");
}

}  // namespace
}  // namespace glimpse
