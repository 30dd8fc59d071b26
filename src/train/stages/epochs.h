/// The pictures or sentences of a step, and its random seeds: functions of the stage's seed and the step number alone,
/// so that a stage can resume at any step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace glimpse::train {

/// Purpose of a random number within a step.
enum class Purpose : std::uint64_t { kOrder = 1, kMirror = 2, kDropout = 3, kChoice = 4, kSamples = 5 };

/// A distinct seed for every step and purpose.
std::uint64_t seed_of(std::uint64_t seed, std::int64_t step, Purpose purpose);

/// Steps of an epoch over `count` things; the last one may be smaller.
std::int64_t batches(std::size_t count, std::int64_t batch);

/// The indices below `count` that step `step` takes; every epoch is shuffled anew.
std::vector<std::size_t> places_of(std::size_t count, std::int64_t batch, std::int64_t step, std::uint64_t seed);

}  // namespace glimpse::train
