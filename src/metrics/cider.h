/// CIDEr-D (Vedantam, Zitnick and Parikh 2015), as the standard COCO evaluation computes what it calls CIDEr: the
/// reward of self-critical training, so made to be asked often.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "metrics/sentence.h"

namespace glimpse::metrics {

/// Knows the references of a set of pictures and, from them, how rare each n-gram is. Const, so threads may share it.
class CiderD {
 public:
  /// `references[i]` are picture i's. An n-gram's document frequency is the number of pictures whose references have
  /// it; of one picture alone all n-grams weigh nothing, so everything scores 0.
  explicit CiderD(std::span<const References> references);

  /// From 0 to 10: over n = 1…4 and the picture's references the mean cosine of the n-grams' tf-idf vectors, the
  /// candidate's counts clipped to the reference's, times exp(−(difference in length)² / (2 · 6²)), times 10. The score
  /// of a set is the mean. `image` is an index into the references.
  double score(std::size_t image, std::span<const int> candidate) const;

  std::size_t images() const { return references_.size(); }

 private:
  struct Term {
    std::uint64_t key = 0;
    int order = 0;
    double weight = 0;  ///< count × inverse document frequency
  };
  /// A sentence's tf-idf vectors of all orders, sorted by key.
  struct Vector {
    std::vector<Term> terms;
    double norms[4] = {};
    int length = 0;  ///< in pairs of words, as the evaluation has it
  };

  Vector weigh(std::span<const int> sentence) const;
  static double similarity(const Vector& candidate, const Vector& reference);

  std::unordered_map<std::uint64_t, int> document_frequency_;
  double log_images_ = 0;
  std::vector<std::vector<Vector>> references_;  ///< a picture, a reference
};

}  // namespace glimpse::metrics
