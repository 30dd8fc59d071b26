#include "core/error.h"

#include <gtest/gtest.h>

namespace glimpse {
namespace {

TEST(Quote, ShowsWhatTerminalsMustNotObey) {
  EXPECT_EQ(quote("a b.jpg"), "'a b.jpg'");
  EXPECT_EQ(quote("a\nb\t\r"), "'a\\nb\\t\\r'");
  EXPECT_EQ(quote("\x1b[31m"), "'\\x1b[31m'");
  EXPECT_EQ(quote("\xff\xfe.jpg"), "'\\xff\\xfe.jpg'");
  EXPECT_EQ(quote("caf\xc3\xa9"), "'caf\xc3\xa9'");
  EXPECT_EQ(quote("\xc2\x9b"), "'\\xc2\\x9b'") << "U+009B starts terminal commands";
}

TEST(Quote, CutsTheMiddleOfLongNames) {
  const std::string name = "begin" + std::string(10'000, 'x') + "end.jpg";
  const std::string shown = quote(name);
  EXPECT_LT(shown.size(), 400U);
  EXPECT_EQ(shown.substr(0, 6), "'begin");
  EXPECT_EQ(shown.substr(shown.size() - 8), "end.jpg'");
}

TEST(ErrorCode, EveryCodeHasAWord) {
  EXPECT_EQ(to_string(ErrorCode::kInternal), "internal");
  EXPECT_EQ(to_string(ErrorCode::kDecode), "decode");
  EXPECT_EQ(to_string(ErrorCode::kDiverged), "diverged");
  EXPECT_EQ(to_string(ErrorCode::kInterrupted), "interrupted");
}

}  // namespace
}  // namespace glimpse
