#include "commands/batch_inputs.h"

#include <algorithm>
#include <utility>

#include "image/image.h"

namespace glimpse::apps {

BatchInputs::BatchInputs(const BatchCommand& command)
    : inputs_(command.inputs, command.input), names_(command.input.names), shard_(command.shard) {}

std::optional<BatchInput> BatchInputs::next(const std::stop_token& stop) {
  while (std::optional<BatchInput> input = next_of_all(stop)) {
    if (!shard_ || shard_->has(input->path)) return input;
  }
  return std::nullopt;
}

std::optional<BatchInput> BatchInputs::next_of_all(const std::stop_token& stop) {
  while (true) {
    BatchInput result;
    if (archive_) {
      if (std::optional<io::Member> member = archive_->next(stop)) {
        result.path = std::move(member->path);
        result.error = std::move(member->error);
        result.bytes = std::move(member->bytes);
        return result;
      }
      archive_.reset();
    }
    std::optional<io::Input> input = inputs_.next(stop);
    if (!input) return std::nullopt;
    result.path = std::move(input->path);
    result.error = std::move(input->error);
    if (result.error || !io::looks_like_archive(result.path)) return result;
    try {
      archive_.emplace(result.path, names_, LoadOptions().max_bytes);
    } catch (const Error& error) {
      result.error = error;
      return result;
    }
  }
}

std::optional<std::size_t> count_inputs(const BatchCommand& command, const std::stop_token& stop) {
  if (std::find(command.inputs.begin(), command.inputs.end(), "-") != command.inputs.end()) return std::nullopt;
  io::Inputs inputs(command.inputs, command.input);
  std::size_t count = 0;
  while (const std::optional<io::Input> input = inputs.next(stop)) {
    if (!input->error && io::looks_like_archive(input->path)) return std::nullopt;
    if (!command.shard || command.shard->has(input->path)) ++count;
  }
  return stop.stop_requested() ? std::nullopt : std::optional(count);
}

}  // namespace glimpse::apps
