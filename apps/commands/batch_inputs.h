/// The list that a batch works through: files, folders, patterns, archives, lists on standard input, or one process's
/// share of them.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>

#include "commands/batch_options.h"
#include "io/picture_archive.h"
#include "pipeline/batch_runner.h"

namespace glimpse::apps {

class BatchInputs {
 public:
  /// Throws Error(kUsage).
  explicit BatchInputs(const BatchCommand& command);

  /// Nothing at the end and soon after `stop` is requested.
  std::optional<BatchInput> next(const std::stop_token& stop);

  /// Whether `next` would wait for standard input.
  bool waits() const { return !archive_ && inputs_.waits(); }

 private:
  std::optional<BatchInput> next_of_all(const std::stop_token& stop);

  io::Inputs inputs_;
  io::PictureNames names_;
  std::optional<io::Shard> shard_;
  std::optional<io::ArchiveReader> archive_;
};

/// How many pictures the command's list has, where that can be known before they are read: not of a list on standard
/// input and not with archives. Nothing, too, soon after `stop` is requested.
std::optional<std::size_t> count_inputs(const BatchCommand& command, const std::stop_token& stop);

}  // namespace glimpse::apps
