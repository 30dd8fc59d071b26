/// One process's share of a list; the processes need not communicate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace glimpse::io {

class Shard {
 public:
  /// The `index`-th of `count` shares, from 0 on.
  Shard(std::uint64_t index, std::uint64_t count) : index_(index), count_(count) {}

  /// `text`: "I/N", I from 1 to N; "auto" for the share that a Slurm array (SLURM_ARRAY_TASK_ID with _COUNT, _MIN and
  /// _STEP), Open MPI (OMPI_COMM_WORLD_RANK, _SIZE) or a Kubernetes indexed job (JOB_COMPLETION_INDEX, with
  /// JOB_COMPLETIONS, which the job's author sets) gives this process; "auto/N" where the environment has no count.
  /// Throws Error(kUsage).
  static Shard parse(const std::string& text);

  /// Whether `path` belongs to this share: by a hash of the path's bytes, the same on every machine and in every
  /// version. Each path belongs to exactly one share.
  bool has(std::string_view path) const;

  std::uint64_t index() const { return index_; }
  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t index_;
  std::uint64_t count_;
};

}  // namespace glimpse::io
