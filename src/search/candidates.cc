#include "search/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace glimpse::search {
namespace {

bool better(const Candidate& a, const Candidate& b) {
  if (a.log_prob != b.log_prob) return a.log_prob > b.log_prob;
  return std::tie(a.row, a.word) < std::tie(b.row, b.word);
}

}  // namespace

BestCandidates::BestCandidates(std::size_t capacity) : capacity_(capacity) { heap_.reserve(capacity); }

void BestCandidates::offer(const Candidate& candidate) {
  if (!std::isfinite(candidate.log_prob)) return;
  if (heap_.size() == capacity_) {
    if (!better(candidate, heap_.front())) return;
    std::pop_heap(heap_.begin(), heap_.end(), better);
    heap_.pop_back();
  }
  heap_.push_back(candidate);
  std::push_heap(heap_.begin(), heap_.end(), better);
}

void BestCandidates::scan(int row, double log_prob, std::span<const float> log_probs,
                          std::span<const std::uint8_t> banned) {
  constexpr std::size_t kBlock = 64;
  // What a word must exceed to matter: rounded down, as the exact comparison (in `offer`) is in double.
  const auto threshold = [&] {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    if (heap_.size() < capacity_) return kLowest;
    return std::nextafter(static_cast<float>(heap_.front().log_prob - log_prob), kLowest);
  };
  float least = threshold();
  for (std::size_t begin = 0; begin < log_probs.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, log_probs.size());
    int above = 0;
    for (std::size_t i = begin; i < end; ++i) above |= static_cast<int>(log_probs[i] > least);
    if (above == 0) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (!(log_probs[i] > least) || banned[i] != 0) continue;
      offer({log_prob + static_cast<double>(log_probs[i]), row, static_cast<int>(i), log_probs[i]});
      least = threshold();
    }
  }
}

std::span<const Candidate> BestCandidates::sorted() {
  std::sort(heap_.begin(), heap_.end(), better);
  return heap_;
}

}  // namespace glimpse::search
