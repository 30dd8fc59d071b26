// Bad options are refused with a message that names option and value.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/error.h"
#include "search/search.h"
#include "support/usage_error.h"
#include "table_model.h"

namespace glimpse::search {
namespace {

constexpr int kVocabulary = 50;

struct BadCase {
  std::function<void(SearchOptions&)> change;
  std::vector<std::string> message;  ///< parts of it
};

TEST(SearchOptions, SenselessOnesAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<BadCase> cases = {
      {[](SearchOptions& o) { o.beam = 0; }, {"beam", "0"}},
      {[](SearchOptions& o) { o.beam = 1001; }, {"beam", "1001"}},
      {[](SearchOptions& o) { o.top = 0; }, {"top", "0"}},
      {[](SearchOptions& o) { o.top = 4; }, {"top", "4", "beam of 3"}},
      {[](SearchOptions& o) { o.length_penalty = -0.5; }, {"length-penalty", "-0.5"}},
      {[nan](SearchOptions& o) { o.length_penalty = nan; }, {"length-penalty", "nan"}},
      {[](SearchOptions& o) { o.max_words = 0; }, {"max-words", "0"}},
      {[](SearchOptions& o) { o.min_words = 21; }, {"min-words", "21", "20"}},
      {[](SearchOptions& o) { o.min_words = -1; }, {"min-words", "-1"}},
      {[](SearchOptions& o) { o.no_repeat_ngram = -1; }, {"no-repeat-ngram", "-1"}},
      {[](SearchOptions& o) { o.required = {50}; }, {"required", "50", "49"}},
      {[](SearchOptions& o) { o.forbidden = {-1}; }, {"forbidden", "-1"}},
      {[](SearchOptions& o) { o.prefix = {99}; }, {"prefix", "99"}},
      {[](SearchOptions& o) { o.required = o.forbidden = {7}; }, {"7", "required and forbidden"}},
      {[](SearchOptions& o) { o.prefix = o.forbidden = {7}; }, {"7", "forbidden", "prefix"}},
      {[](SearchOptions& o) {
         o.max_words = 3;
         o.prefix = {5, 6};
         o.required = {7, 8};
       },
       {"max-words", "3", "4 words"}},
      {[](SearchOptions& o) {
         o.beam = 400;
         o.required = {7, 8};
       },
       {"beam", "400", "1200"}},
      {[](SearchOptions& o) {
         o.sampling = SamplingOptions{0, 0, 1};
       },
       {"temperature", "0"}},
      {[nan](SearchOptions& o) {
         o.sampling = SamplingOptions{nan, 0, 1};
       },
       {"temperature", "nan"}},
      {[](SearchOptions& o) {
         o.sampling = SamplingOptions{1, -1, 1};
       },
       {"top-k", "-1"}},
      {[](SearchOptions& o) {
         o.sampling = SamplingOptions{1, 51, 1};
       },
       {"top-k", "51"}},
      {[](SearchOptions& o) {
         o.sampling = SamplingOptions{1, 0, 0};
       },
       {"top-p", "0"}},
      {[](SearchOptions& o) {
         o.sampling = SamplingOptions{1, 0, 1.5};
       },
       {"top-p", "1.5"}},
      {[](SearchOptions& o) {
         o.sampling.emplace();
         o.required = {7};
       },
       {"required", "sampling"}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SearchOptions options;
    cases[i].change(options);
    try {
      validate(options, kVocabulary);
      ADD_FAILURE() << "case " << i << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << "case " << i;
      for (const std::string& part : cases[i].message) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(part)) << "case " << i;
      }
    }
  }
}

TEST(SearchOptions, UsefulOnesAreAccepted) {
  SearchOptions options;
  EXPECT_NO_THROW(validate(options, kVocabulary));
  EXPECT_EQ(rows_needed(options), 3);
  options.required = {4, 5, 4};
  options.prefix = {5};
  EXPECT_NO_THROW(validate(options, kVocabulary));
  EXPECT_EQ(rows_needed(options), 6);  // word 5 is said by the prefix
  options.required = {};
  options.top = 10;
  options.sampling = SamplingOptions{0.8, 5, 0.9};
  EXPECT_NO_THROW(validate(options, kVocabulary));  // samples are not bound to the beam
  EXPECT_EQ(rows_needed(options), 10);
}

TEST(SearchOptions, AModelNeedsTheirRowsAndASeedAnImage) {
  testing::TableModel model({.words = 6, .images = 2, .rows_per_image = 3});
  SearchOptions options;
  options.beam = 4;
  EXPECT_THAT([&] { search(model, options); }, glimpse::testing::throws_usage("4 rows an image"));
  options.sampling = SamplingOptions{};
  options.image_seeds = {1, 2, 3};
  EXPECT_THAT([&] { search(model, options); }, glimpse::testing::throws_usage("3 image seeds for 2 images"));
}

}  // namespace
}  // namespace glimpse::search
