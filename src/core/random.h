/// Seeded random numbers: the same seed gives the same numbers on every platform (xoshiro256++, Blackman and Vigna
/// 2019, seeded by SplitMix64).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace glimpse {

class Random {
 public:
  explicit Random(std::uint64_t seed);
  /// Restores a state saved by `state()`. Throws Error(kUsage) for text that is no such state.
  static Random from_state(std::string_view state);

  std::uint64_t next();                      ///< 64 random bits
  double uniform();                          ///< in [0, 1), 53 bits
  double normal();                           ///< mean 0, deviation 1 (Marsaglia's polar method)
  std::uint64_t below(std::uint64_t bound);  ///< in [0, bound), unbiased; throws Error(kUsage) for 0

  std::string state() const;  ///< the generator's state, as words of hexadecimal digits

 private:
  Random() = default;

  std::array<std::uint64_t, 4> state_ = {};
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace glimpse
