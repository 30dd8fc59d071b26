/// The pictures of a run: files, folders, patterns, archives, lists on standard input, or one process's share of them.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/inputs.h"
#include "io/picture_archive.h"
#include "io/shard.h"
#include "pipeline/picture_sink.h"

namespace glimpse::io {

class PictureList {
 public:
  /// Throws as Inputs.
  PictureList(const std::vector<std::string>& arguments, const InputOptions& options,
              const std::optional<Shard>& shard = {});

  /// Nothing at the end and soon after `stop` is requested.
  std::optional<BatchInput> next(const std::stop_token& stop);

  /// Whether `next` would wait for standard input.
  bool waits() const { return !archive_ && inputs_.waits(); }

 private:
  std::optional<BatchInput> next_of_all(const std::stop_token& stop);

  Inputs inputs_;
  PictureNames names_;
  std::optional<Shard> shard_;
  std::optional<ArchiveReader> archive_;
};

/// How many pictures such a list has, where that can be known before they are read: not of a list on standard input and
/// not with archives. Nothing, too, soon after `stop` is requested.
std::optional<std::size_t> count_pictures(const std::vector<std::string>& arguments, const InputOptions& options,
                                          const std::optional<Shard>& shard, const std::stop_token& stop);

}  // namespace glimpse::io
