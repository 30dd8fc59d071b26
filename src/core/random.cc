#include "core/random.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace glimpse {
namespace {

constexpr int kHexadecimal = 16;

std::string to_hex(std::uint64_t value) {
  std::array<char, 16> buffer = {};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, kHexadecimal).ptr};
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15u;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

Random Random::from_state(std::string_view state) {
  const std::vector<std::string_view> words = split_words(state);
  std::vector<std::uint64_t> values;
  for (const std::string_view word : words) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, kHexadecimal);
    if (error == std::errc() && end == word.data() + word.size()) values.push_back(value);
  }
  Random random;
  const std::size_t size = random.state_.size();
  if (values.size() != words.size() || (values.size() != size && values.size() != size + 1)) {
    throw Error(ErrorCode::kUsage, quote(state) + " is not the state of a random number generator");
  }
  std::copy_n(values.begin(), size, random.state_.begin());
  random.has_spare_ = values.size() > size;
  if (random.has_spare_) random.spare_ = std::bit_cast<double>(values.back());
  return random;
}

std::string Random::state() const {
  std::string text;
  for (const std::uint64_t word : state_) text += (text.empty() ? "" : " ") + to_hex(word);
  if (has_spare_) text += ' ' + to_hex(std::bit_cast<std::uint64_t>(spare_));
  return text;
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  double x = 0;
  double y = 0;
  double square = 0;
  do {
    x = 2 * uniform() - 1;
    y = 2 * uniform() - 1;
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double scale = std::sqrt(-2 * std::log(square) / square);
  spare_ = y * scale;
  has_spare_ = true;
  return x * scale;
}

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) throw Error(ErrorCode::kUsage, "a random number below 0; give a bound of 1 or more");
  // Lemire's method: the high word of a product is uniform once the low word passes the threshold.
  using Wide = unsigned __int128;
  const std::uint64_t threshold = (0 - bound) % bound;
  while (true) {
    const Wide product = static_cast<Wide>(next()) * bound;
    if (static_cast<std::uint64_t>(product) >= threshold) return static_cast<std::uint64_t>(product >> 64);
  }
}

}  // namespace glimpse
