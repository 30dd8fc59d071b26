/// The CPU quota of the control group that a process runs in (cgroup v1 and v2). Internal to src/dnn; the paths are
/// parameters so that tests can bring their own.
#pragma once

#include <filesystem>
#include <optional>

namespace glimpse::dnn {

/// Processors' worth of time, the least along the way from the group that `membership` (/proc/self/cgroup) names up to
/// the root of `mount` (/sys/fs/cgroup). Empty where nothing limits it or nothing can be read.
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& membership, const std::filesystem::path& mount);

}  // namespace glimpse::dnn
