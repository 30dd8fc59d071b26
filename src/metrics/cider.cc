#include "metrics/cider.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "metrics/ngrams.h"

namespace glimpse::metrics {

CiderD::CiderD(std::span<const References> references) {
  std::vector<std::uint64_t> keys;
  for (const References& of_one : references) {
    keys.clear();
    for (const Sentence& sentence : of_one) {
      for (const NgramCount& ngram : count_ngrams(sentence)) keys.push_back(ngram.key);
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const std::uint64_t key : keys) ++document_frequency_[key];
  }
  log_images_ = std::log(static_cast<double>(references.size()));
  references_.reserve(references.size());
  for (const References& of_one : references) {
    std::vector<Vector>& vectors = references_.emplace_back();
    for (const Sentence& sentence : of_one) vectors.push_back(weigh(sentence));
  }
}

CiderD::Vector CiderD::weigh(std::span<const int> sentence) const {
  Vector vector;
  for (const NgramCount& ngram : count_ngrams(sentence)) {
    const auto found = document_frequency_.find(ngram.key);
    const int frequency = found == document_frequency_.end() ? 1 : found->second;
    const double weight = ngram.count * (log_images_ - std::log(static_cast<double>(frequency)));
    vector.terms.push_back({ngram.key, ngram.order, weight});
    vector.norms[ngram.order] += weight * weight;
  }
  for (double& norm : vector.norms) norm = std::sqrt(norm);
  vector.length = std::max(0, static_cast<int>(sentence.size()) - 1);
  return vector;
}

double CiderD::similarity(const Vector& candidate, const Vector& reference) {
  constexpr double kSigma = 6;
  double products[kMaxOrder] = {};
  auto other = reference.terms.begin();
  for (const Term& term : candidate.terms) {
    while (other != reference.terms.end() && other->key < term.key) ++other;
    if (other == reference.terms.end()) break;
    if (other->key == term.key) products[term.order] += std::min(term.weight, other->weight) * other->weight;
  }
  double sum = 0;
  for (int order = 0; order < kMaxOrder; ++order) {
    const double norms = candidate.norms[order] * reference.norms[order];
    if (norms > 0) sum += products[order] / norms;
  }
  const double difference = candidate.length - reference.length;
  return sum / kMaxOrder * std::exp(-difference * difference / (2 * kSigma * kSigma));
}

double CiderD::score(std::size_t image, std::span<const int> candidate) const {
  assert(image < references_.size());
  const Vector vector = weigh(candidate);
  double sum = 0;
  for (const Vector& reference : references_[image]) sum += similarity(vector, reference);
  return 10 * sum / static_cast<double>(references_[image].size());
}

}  // namespace glimpse::metrics
