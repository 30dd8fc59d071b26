/// Paths of test files: the repository, the optional shared folder beside it (photos, models), and a scratch folder.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace glimpse::testing {

inline std::filesystem::path source_path(const std::string& relative) {
  return std::filesystem::path(GLIMPSE_SOURCE_DIR) / relative;
}

/// A file or folder beside the repository. Use through GLIMPSE_REQUIRE_SHARED.
inline std::filesystem::path shared_path(const std::string& relative) {
  return std::filesystem::path(GLIMPSE_SHARED_DIR) / relative;
}

/// A folder that is removed with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "glimpse-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a scratch folder " + pattern);
    path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace glimpse::testing

/// Skips the test, saying what is missing, unless ../shared has `relative`.
#define GLIMPSE_REQUIRE_SHARED(relative)                                         \
  do {                                                                           \
    if (!std::filesystem::exists(::glimpse::testing::shared_path(relative)))     \
      GTEST_SKIP() << "not here: " << ::glimpse::testing::shared_path(relative); \
  } while (false)
