/// `glimpse bench`: speed measured against bare oneDNN, or a batch against its two computing stages alone, in the same
/// process, so that a shared or slow machine does not change the verdict.
#pragma once

#include <span>
#include <string>

namespace glimpse::apps {

/// `args` are the words after `glimpse bench encoder`. Results go to standard output. Returns the exit code; throws
/// Error and boost::program_options' exceptions.
int bench_encoder(std::span<const std::string> args);
int bench_decoder(std::span<const std::string> args);
int bench_pipeline(std::span<const std::string> args);

}  // namespace glimpse::apps
