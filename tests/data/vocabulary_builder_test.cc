#include "data/vocabulary_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace glimpse::train {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

TEST(VocabularyBuilderTest, FrequentWordsFirstTiesByBytesRareOnesLeftOut) {
  VocabularyBuilder builder;
  builder.add(Words{"b", "a", "dog", "dog", "c"});
  builder.add(Words{"dog", "a", "b", "rare"});
  EXPECT_THAT(builder.build(2), ElementsAre("<pad>", "<start>", "<end>", "<unk>", "dog", "a", "b"));
  EXPECT_THAT(builder.build(1), ElementsAre("<pad>", "<start>", "<end>", "<unk>", "dog", "a", "b", "c", "rare"));
}

TEST(VocabularyBuilderTest, AVocabularyOfOneWordOrNoneIsRefused) {
  VocabularyBuilder builder;
  const auto message = [&](int threshold) -> std::string {
    try {
      builder.build(threshold);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message(1), HasSubstr("have 0 different words"));
  builder.add(Words{"dog", "dog", "cat"});
  EXPECT_THAT(message(2), AllOf(HasSubstr("2 different words, of which 1"), HasSubstr("at least 2 times")));
  EXPECT_EQ(message(1), "");
}

TEST(EncodeCaptionTest, EndsInTheEndAndIsCut) {
  const Vocabulary vocabulary(Words{"<pad>", "<start>", "<end>", "<unk>", "a", "dog"});
  EXPECT_THAT(encode_caption(vocabulary, Words{"a", "blue", "dog"}, 20), ElementsAre(4, kUnknownId, 5, kEndId));
  EXPECT_THAT(encode_caption(vocabulary, Words{"a", "dog", "a"}, 2), ElementsAre(4, 5, kEndId));
  EXPECT_THAT(encode_caption(vocabulary, Words{}, 2), ElementsAre(kEndId));
}

TEST(EncodeCaptionTest, SpecialWordsInCaptionsAreNoSpecialWords) {
  VocabularyBuilder builder;
  builder.add(Words{"<end>", "a", "<start>", "dog", "<end>"});
  const Words words = builder.build(1);
  EXPECT_EQ(words.size(), 6U);
  EXPECT_THAT(encode_caption(Vocabulary(words), Words{"a", "<end>", "<pad>"}, 9),
              ElementsAre(4, kUnknownId, kUnknownId, kEndId));
}

}  // namespace
}  // namespace glimpse::train
