#include "dnn/runtime/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "dnn/runtime/cgroup.h"
#include "dnn/runtime/engine.h"
#include "support/paths.h"

namespace glimpse::dnn {
namespace {

namespace fs = std::filesystem;

TEST(Threads, AvailableIsBetweenOneAndAllProcessors) {
  EXPECT_GE(available_threads(), 1);
  EXPECT_LE(available_threads(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(Threads, CountBelongsToTheCallingThread) {
  const int before = thread_count();
  set_thread_count(3);
  EXPECT_EQ(thread_count(), 3);
  int other = 0;
  std::thread([&other] {
    set_thread_count(1);
    other = thread_count();
  }).join();
  EXPECT_EQ(other, 1);
  EXPECT_EQ(thread_count(), 3);
  set_thread_count(before);
}

TEST(Threads, AScopeGivesTheCountBackAlsoAfterAnException) {
  const int before = thread_count();
  try {
    const ThreadCountScope outer(before + 2);
    EXPECT_EQ(thread_count(), before + 2);
    {
      const ThreadCountScope inner(1);
      EXPECT_EQ(thread_count(), 1);
    }
    EXPECT_EQ(thread_count(), before + 2);
    throw std::runtime_error("stop");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(thread_count(), before);
  }
}

TEST(Threads, RunOnThreadsRestoresTheCountAlsoAfterAnException) {
  const int before = thread_count();
  set_thread_count(2);
  int inside = 0;
  run_on_threads(5, [&] { inside = thread_count(); });
  EXPECT_EQ(inside, 5);
  EXPECT_EQ(thread_count(), 2);
  EXPECT_THROW(run_on_threads(7, [] { throw std::runtime_error("thrown inside"); }), std::runtime_error);
  EXPECT_EQ(thread_count(), 2);
  set_thread_count(before);
}

TEST(Threads, ParallelForCoversEveryItemOnce) {
  const int before = thread_count();
  for (const int threads : {1, 2, 3, 8}) {
    set_thread_count(threads);
    for (const std::int64_t count : {0, 1, 2, 7, 64, 1000}) {
      for (const std::int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
        std::atomic<int> ranges = 0;
        parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
          ++ranges;
          for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        for (const std::atomic<int>& visit : visits) ASSERT_EQ(visit, 1) << threads << ' ' << count << ' ' << grain;
        ASSERT_LE(ranges, threads);
        if (count <= grain) {
          ASSERT_LE(ranges, 1) << threads << ' ' << count << ' ' << grain;
        }
      }
    }
  }
  set_thread_count(before);
}

TEST(Threads, VersionNamesLibraryRuntimeAndInstructions) {
  EXPECT_EQ(version().rfind("oneDNN " + library_version(), 0), 0U) << version();
  EXPECT_EQ(library_version().rfind("2.", 0), 0U);
  EXPECT_NE(version().find(instruction_set()), std::string::npos);
}

struct CgroupCase {
  const char* description;
  const char* membership;                                     ///< /proc/self/cgroup
  std::vector<std::pair<const char*, const char*>> settings;  ///< files below /sys/fs/cgroup
  std::optional<double> quota;
};

// GoogleTest looks for this name.
void PrintTo(const CgroupCase& c, std::ostream* out) {
  *out << c.description;
}  // NOLINT(readability-identifier-naming)

class Cgroup : public ::testing::TestWithParam<CgroupCase> {};

TEST_P(Cgroup, QuotaIsTheLeastOnTheWayUp) {
  const glimpse::testing::ScratchFolder scratch;
  const auto write = [&scratch](const fs::path& name, const char* text) {
    fs::create_directories((scratch.path() / name).parent_path());
    std::ofstream(scratch.path() / name) << text;
  };
  write("membership", GetParam().membership);
  for (const auto& [name, text] : GetParam().settings) write(fs::path("mount") / name, text);
  EXPECT_EQ(cgroup_cpu_quota(scratch.path() / "membership", scratch.path() / "mount"), GetParam().quota);
}

INSTANTIATE_TEST_SUITE_P(
    All, Cgroup,
    ::testing::Values(
        CgroupCase{"no cgroups at all", "", {}, std::nullopt},
        CgroupCase{"v2 without a limit", "0::/a/b\n", {{"a/b/cpu.max", "max 100000\n"}}, std::nullopt},
        CgroupCase{"v2 in the group", "0::/a/b\n", {{"a/b/cpu.max", "150000 100000\n"}}, 1.5},
        CgroupCase{"v2 in its parent",
                   "0::/a/b\n",
                   {{"a/b/cpu.max", "400000 100000\n"}, {"a/cpu.max", "50000 100000\n"}},
                   0.5},
        CgroupCase{"v2 seen from inside a container", "0::/\n", {{"cpu.max", "200000 100000\n"}}, 2.0},
        CgroupCase{"a group that is not mounted here", "0::/x/y/z\n", {{"cpu.max", "200000 100000\n"}}, 2.0},
        CgroupCase{"v1",
                   "12:memory:/m\n4:cpu,cpuacct:/a\n",
                   {{"cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n"}, {"cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}},
                   3.0},
        CgroupCase{"v1 mounted under its own name",
                   "4:cpuacct,cpu:/a\n",
                   {{"cpu/cpu.cfs_quota_us", "100000\n"}, {"cpu/cpu.cfs_period_us", "100000\n"}},
                   1.0},
        CgroupCase{"v1 without a limit",
                   "4:cpu:/\n",
                   {{"cpu/cpu.cfs_quota_us", "-1\n"}, {"cpu/cpu.cfs_period_us", "100000\n"}},
                   std::nullopt},
        CgroupCase{"v1 quota of another controller",
                   "4:cpuset:/\n",
                   {{"cpu/cpu.cfs_quota_us", "100000\n"}, {"cpu/cpu.cfs_period_us", "100000\n"}},
                   std::nullopt},
        CgroupCase{"nonsense", "4\nx:y\n0::/a\n", {{"a/cpu.max", "fast\n"}}, std::nullopt}));

}  // namespace
}  // namespace glimpse::dnn
