#include "train/stages/epochs.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/random.h"

namespace glimpse::train {
namespace {

/// The numbers below `count` in the order of epoch `epoch`.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed_of(seed, epoch, Purpose::kOrder));
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

}  // namespace

std::uint64_t seed_of(std::uint64_t seed, std::int64_t step, Purpose purpose) {
  constexpr std::uint64_t kStride = 0x9e3779b97f4a7c15ULL;
  return Random(seed + kStride * static_cast<std::uint64_t>(step) + static_cast<std::uint64_t>(purpose)).next();
}

std::int64_t batches(std::size_t count, std::int64_t batch) {
  return (static_cast<std::int64_t>(count) + batch - 1) / batch;
}

std::vector<std::size_t> places_of(std::size_t count, std::int64_t batch, std::int64_t step, std::uint64_t seed) {
  const std::int64_t steps = batches(count, batch);
  const std::vector<std::size_t> order = shuffled(count, seed, step / steps);
  const auto first = static_cast<std::size_t>(step % steps * batch);
  const std::size_t last = std::min(count, first + static_cast<std::size_t>(batch));
  return {order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(last)};
}

}  // namespace glimpse::train
