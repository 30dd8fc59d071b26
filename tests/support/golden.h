/// The golden captions in shared/models/*/golden/golden.json, and the comparison with them: the same words, unless two
/// hypotheses' scores differ by less than floating point can tell; log-probabilities, alphas and gates to 1e-3.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "search/search.h"

namespace glimpse::testing {

inline constexpr double kGoldenTolerance = 1e-3;
inline constexpr double kTie = 1e-4;

struct GoldenCaption {
  std::string text;
  double log_prob = 0;
  std::vector<int> words;  ///< the end marker included
  std::vector<double> log_probs;
};

struct GoldenSearch {
  std::string key;  ///< "3@0.7": beam and length penalty
  int beam = 0;
  double length_penalty = 0;
  std::vector<GoldenCaption> captions;
};

struct GoldenPhoto {
  std::string image;
  std::vector<GoldenSearch> searches;
  std::vector<std::vector<double>> alphas;  ///< of 3@0.7's best, the end's included; only for some photos
  std::vector<double> gates;
};

inline std::vector<GoldenPhoto> read_golden(const std::filesystem::path& path) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 26;
  std::vector<GoldenPhoto> photos;
  for (const nlohmann::json& entry : nlohmann::json::parse(read_file(path, kMaxBytes))) {
    GoldenPhoto photo;
    photo.image = entry.at("image");
    for (const auto& [key, captions] : entry.at("beams").items()) {
      GoldenSearch search;
      search.key = key;
      search.beam = std::stoi(key);
      search.length_penalty = std::stod(key.substr(key.find('@') + 1));
      for (const nlohmann::json& caption : captions) {
        search.captions.push_back(
            {caption.at("caption"), caption.at("log_prob"), caption.at("words"), caption.at("word_log_probs")});
      }
      photo.searches.push_back(search);
    }
    if (entry.contains("alphas")) photo.alphas = entry.at("alphas").get<std::vector<std::vector<double>>>();
    if (entry.contains("betas")) photo.gates = entry.at("betas").get<std::vector<double>>();
    photos.push_back(photo);
  }
  return photos;
}

/// The options that the golden search was made with.
inline search::SearchOptions golden_options(const GoldenSearch& golden) {
  search::SearchOptions options;
  options.beam = golden.beam;
  options.top = std::min(3, golden.beam);
  options.length_penalty = golden.length_penalty;
  options.min_words = 0;
  options.no_repeat_ngram = 0;
  return options;
}

inline double golden_score(const GoldenCaption& golden, double penalty) {
  return golden.log_prob / std::pow(static_cast<double>(golden.words.size()), penalty);
}

/// What was found, from whatever level.
struct FoundCaption {
  std::string text;
  double log_prob = 0;
  std::vector<double> log_probs;  ///< a word, the end's left out
  std::vector<double> gates;
  std::vector<std::vector<float>> alphas;
};

inline void expect_golden(const std::vector<FoundCaption>& found, const GoldenSearch& golden, const std::string& what) {
  ASSERT_EQ(found.size(), golden.captions.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) {
    // A neighbour may stand here if its score is the same but for rounding.
    const double here = golden_score(golden.captions[i], golden.length_penalty);
    const GoldenCaption* match = nullptr;
    for (const GoldenCaption& caption : golden.captions) {
      const double difference = std::abs(golden_score(caption, golden.length_penalty) - here);
      if (difference < kTie && found[i].text == caption.text) match = &caption;
    }
    ASSERT_NE(match, nullptr) << what << ", caption " << i << ": expected \"" << golden.captions[i].text
                              << "\", found \"" << found[i].text << "\"";
    EXPECT_NEAR(found[i].log_prob, match->log_prob, kGoldenTolerance) << what;
    ASSERT_LE(found[i].log_probs.size(), match->log_probs.size()) << what;
    for (std::size_t w = 0; w < found[i].log_probs.size(); ++w) {
      EXPECT_NEAR(found[i].log_probs[w], match->log_probs[w], kGoldenTolerance) << what << ", word " << w;
    }
  }
}

inline void expect_golden_glimpses(const FoundCaption& found, const GoldenPhoto& golden) {
  ASSERT_FALSE(found.alphas.empty()) << golden.image;
  ASSERT_GE(golden.alphas.size(), found.alphas.size()) << golden.image;
  ASSERT_EQ(found.gates.size(), found.alphas.size());
  for (std::size_t w = 0; w < found.alphas.size(); ++w) {
    EXPECT_NEAR(found.gates[w], golden.gates[w], kGoldenTolerance) << golden.image << ", word " << w;
    ASSERT_EQ(found.alphas[w].size(), golden.alphas[w].size());
    for (std::size_t i = 0; i < found.alphas[w].size(); ++i) {
      EXPECT_NEAR(found.alphas[w][i], golden.alphas[w][i], kGoldenTolerance)
          << golden.image << ", word " << w << ", cell " << i;
    }
  }
}

}  // namespace glimpse::testing
