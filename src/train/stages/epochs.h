/// Which of its pictures or sentences a step takes, and the seeds of what is random in it: from the stage's seed and
/// the number of the step alone, so that a stage can be taken up again at any step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace glimpse::train {

/// What a random number in a step is for.
enum class Purpose : std::uint64_t { kOrder = 1, kMirror = 2, kDropout = 3, kChoice = 4, kSamples = 5 };

/// A seed of its own for every step, and for every purpose in it.
std::uint64_t seed_of(std::uint64_t seed, std::int64_t step, Purpose purpose);

/// Steps of an epoch over `count` things; the last one may be smaller.
std::int64_t batches(std::size_t count, std::int64_t batch);

/// The numbers below `count` that step `step` takes; each epoch has an order of its own.
std::vector<std::size_t> places_of(std::size_t count, std::int64_t batch, std::int64_t step, std::uint64_t seed);

}  // namespace glimpse::train
