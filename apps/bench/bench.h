/// `glimpse bench`: speed relative to bare oneDNN, or of a batch relative to encoder and decoder alone, measured in one
/// process, so that a shared or slow machine does not change the ratio.
#pragma once

#include <span>
#include <string>

namespace glimpse::apps {

/// `args` are the words after `glimpse bench encoder`. Results go to standard output. Returns the exit code; throws
/// Error.
int bench_encoder(std::span<const std::string> args);
int bench_decoder(std::span<const std::string> args);
int bench_pipeline(std::span<const std::string> args);

}  // namespace glimpse::apps
