#include "metrics/tokenise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glimpse::metrics {
namespace {

using Words = std::vector<std::string>;

TEST(Tokenise, WordsAsTheStandardEvaluationCountsThem) {
  const std::vector<std::pair<const char*, Words>> cases = {
      {"A dog runs.", {"a", "dog", "runs"}},
      {"a dog , running \n", {"a", "dog", "running"}},
      {"the dog's ball", {"the", "dog", "'s", "ball"}},
      {"the dog 's ball", {"the", "dog", "'s", "ball"}},
      {"dogs' \"toys\" 'here'", {"dogs", "toys", "here"}},
      {"it can't, they're and I've", {"it", "ca", "n't", "they", "'re", "and", "i", "'ve"}},
      {"it ca n't", {"it", "ca", "n't"}},
      {"it cannot", {"it", "can", "not"}},
      {"a twin-hulled boat - red -- white", {"a", "twin-hulled", "boat", "red", "white"}},
      {"1,000 men at 2:30, 3.5 m... etc.", {"1,000", "men", "at", "2:30", "3.5", "m", "etc."}},
      {"U.S. flags by Mr. T", {"u.s.", "flags", "by", "mr.", "t"}},
      {"salt/pepper & (half) #4 at 50%", {"salt", "/", "pepper", "&", "(", "half", ")", "#", "4", "at", "50", "%"}},
      {"“it’s a café” – small…", {"it", "'s", "a", "café", "small"}},
      {"", {}},
      {" .,;:!?-\"'` \t", {}},
  };
  for (const auto& [caption, words] : cases) EXPECT_EQ(tokenise(caption), words) << caption;
}

TEST(Tokenise, WordsOfAnyBytesAreNeverEmpty) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += {static_cast<char>(byte), '\'', static_cast<char>(byte), '.'};
  for (const std::string& word : tokenise(all)) EXPECT_FALSE(word.empty());
}

}  // namespace
}  // namespace glimpse::metrics
