#include "io/picture_list.h"

#include <algorithm>
#include <utility>

#include "image/image.h"

namespace glimpse::io {

PictureList::PictureList(const std::vector<std::string>& arguments, const InputOptions& options,
                         const std::optional<Shard>& shard)
    : inputs_(arguments, options), names_(options.names), shard_(shard) {}

std::optional<BatchInput> PictureList::next(const std::stop_token& stop) {
  while (std::optional<BatchInput> input = next_of_all(stop)) {
    if (!shard_ || shard_->has(input->path)) return input;
  }
  return std::nullopt;
}

std::optional<BatchInput> PictureList::next_of_all(const std::stop_token& stop) {
  while (true) {
    BatchInput result;
    if (archive_) {
      if (std::optional<Member> member = archive_->next(stop)) {
        result.path = std::move(member->path);
        result.error = std::move(member->error);
        result.bytes = std::move(member->bytes);
        return result;
      }
      archive_.reset();
    }
    std::optional<Input> input = inputs_.next(stop);
    if (!input) return std::nullopt;
    result.path = std::move(input->path);
    result.error = std::move(input->error);
    if (result.error || !looks_like_archive(result.path)) return result;
    try {
      archive_.emplace(result.path, names_, LoadOptions().max_bytes);
    } catch (const Error& error) {
      result.error = error;
      return result;
    }
  }
}

std::optional<std::size_t> count_pictures(const std::vector<std::string>& arguments, const InputOptions& options,
                                          const std::optional<Shard>& shard, const std::stop_token& stop) {
  if (std::find(arguments.begin(), arguments.end(), "-") != arguments.end()) return std::nullopt;
  Inputs inputs(arguments, options);
  std::size_t count = 0;
  while (const std::optional<Input> input = inputs.next(stop)) {
    if (!input->error && looks_like_archive(input->path)) return std::nullopt;
    if (!shard || shard->has(input->path)) ++count;
  }
  return stop.stop_requested() ? std::nullopt : std::optional(count);
}

}  // namespace glimpse::io
