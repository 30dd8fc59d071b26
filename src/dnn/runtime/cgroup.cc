#include "dnn/runtime/cgroup.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace glimpse::dnn {
namespace {

/// v2: "cpu.max" holds "QUOTA PERIOD" or "max PERIOD".
std::optional<double> quota_v2(const std::filesystem::path& folder) {
  std::ifstream file(folder / "cpu.max");
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

/// v1: two files; a quota of −1 means none.
std::optional<double> quota_v1(const std::filesystem::path& folder) {
  std::ifstream quota_file(folder / "cpu.cfs_quota_us");
  std::ifstream period_file(folder / "cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

template <typename Read>
std::optional<double> least_quota(const std::filesystem::path& root, const std::string& group, Read read) {
  std::optional<double> least;
  // A group outside this namespace's view has no folder here: walking up reaches the root of the mount all the same.
  for (std::filesystem::path relative = std::filesystem::path(group).relative_path();;
       relative = relative.parent_path()) {
    const std::optional<double> quota = read(root / relative);
    if (quota && (!least || *quota < *least)) least = quota;
    if (relative.empty()) return least;
  }
}

/// Whether `controllers` ("cpu,cpuacct") has "cpu".
bool lists_cpu(const std::string& controllers) { return ("," + controllers + ",").find(",cpu,") != std::string::npos; }

}  // namespace

std::optional<double> cgroup_cpu_quota(const std::filesystem::path& membership, const std::filesystem::path& mount) {
  std::optional<double> least;
  const auto consider = [&least](std::optional<double> quota) {
    if (quota && (!least || *quota < *least)) least = quota;
  };
  std::ifstream file(membership);
  // Lines are "ID:CONTROLLERS:PATH"; v2 is "0::PATH".
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      consider(least_quota(mount, group, quota_v2));
    } else if (lists_cpu(controllers)) {
      for (const std::string& folder : {controllers, std::string("cpu")}) {
        consider(least_quota(mount / folder, group, quota_v1));
      }
    }
  }
  return least;
}

}  // namespace glimpse::dnn
