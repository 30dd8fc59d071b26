#include "io/shard.h"

#include <charconv>
#include <cstdlib>

#include "core/error.h"
#include "core/hash.h"

namespace glimpse::io {
namespace {

constexpr std::uint64_t kMostShards = 1'000'000;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A number in the environment; nothing where the variable is not set.
std::optional<std::uint64_t> environment_number(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  const std::optional<std::uint64_t> value = parse_number(text);
  if (!value) throw Error(ErrorCode::kUsage, std::string(name) + " is " + quote(text) + ", which is no number");
  return value;
}

struct Place {
  std::uint64_t index = 0;
  std::optional<std::uint64_t> count;
  const char* count_name;  ///< the variable that says, or should say, how many there are
};

/// What the environment says, first match first.
std::optional<Place> environment_place() {
  if (const auto id = environment_number("SLURM_ARRAY_TASK_ID")) {
    const std::uint64_t least = environment_number("SLURM_ARRAY_TASK_MIN").value_or(0);
    const std::uint64_t step = environment_number("SLURM_ARRAY_TASK_STEP").value_or(1);
    if (*id < least || step == 0) {
      throw Error(ErrorCode::kUsage, "SLURM_ARRAY_TASK_ID, _MIN and _STEP do not fit together");
    }
    return Place{(*id - least) / step, environment_number("SLURM_ARRAY_TASK_COUNT"), "SLURM_ARRAY_TASK_COUNT"};
  }
  if (const auto rank = environment_number("OMPI_COMM_WORLD_RANK")) {
    return Place{*rank, environment_number("OMPI_COMM_WORLD_SIZE"), "OMPI_COMM_WORLD_SIZE"};
  }
  if (const auto index = environment_number("JOB_COMPLETION_INDEX")) {
    return Place{*index, environment_number("JOB_COMPLETIONS"), "JOB_COMPLETIONS"};
  }
  return std::nullopt;
}

Shard checked(std::uint64_t index, std::uint64_t count, const std::string& text) {
  if (count >= 1 && count <= kMostShards && index < count) return {index, count};
  throw Error(ErrorCode::kUsage, "--shard " + text + " would be share " + std::to_string(index + 1) + " of " +
                                     std::to_string(count) + "; I goes from 1 to N, N up to " +
                                     std::to_string(kMostShards));
}

Shard from_environment(const std::string& text, std::optional<std::uint64_t> count) {
  const std::optional<Place> place = environment_place();
  if (!place) {
    throw Error(ErrorCode::kUsage,
                "--shard auto finds none of SLURM_ARRAY_TASK_ID, OMPI_COMM_WORLD_RANK and JOB_COMPLETION_INDEX in the "
                "environment; say which share with --shard I/N");
  }
  if (!count) count = place->count;
  if (!count) {
    throw Error(ErrorCode::kUsage, std::string("--shard auto does not know how many shares there are: ") +
                                       place->count_name + " is not set; say it with --shard auto/N");
  }
  return checked(place->index, *count, text);
}

}  // namespace

Shard Shard::parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string_view first = std::string_view(text).substr(0, slash);
  std::optional<std::uint64_t> count;
  if (slash != std::string::npos) count = parse_number(std::string_view(text).substr(slash + 1));
  if (first == "auto" && (slash == std::string::npos || count)) return from_environment(text, count);
  const std::optional<std::uint64_t> number = parse_number(first);
  if (!number || !count) {
    throw Error(ErrorCode::kUsage,
                "--shard takes I/N, auto or auto/N, not " + quote(text) + ": --shard 1/4 is the first of four");
  }
  return checked(*number - 1, *count, text);
}

bool Shard::has(std::string_view path) const {
  Hash names;
  names.add(path);
  std::uint64_t hash = names.value();
  // Mixed: the low bits alone say too little of a name's last letters.
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15U;
  hash ^= hash >> 32;
  return hash % count_ == index_;
}

}  // namespace glimpse::io
