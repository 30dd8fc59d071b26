/// Shared by the tests of `glimpse batch`: a folder of small pictures, reading of records, hand-made tar archives.
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "fixture.h"

namespace glimpse::testing {

class BatchTest : public AppTest {
 protected:
  /// photos/000.ppm and so on; those that `bad` names are no pictures.
  void add_photos(int count, const std::function<bool(int)>& bad = nullptr) const {
    std::filesystem::create_directories(path("photos"));
    for (int i = 0; i < count; ++i) {
      if (bad && bad(i)) {
        write_file(path(photo(i)), "no picture");
      } else {
        add_picture(photo(i), i);
      }
    }
  }

  static std::string photo(int number) {
    const std::string digits = std::to_string(number);
    return "photos/" + std::string(3 - digits.size(), '0') + digits + ".ppm";
  }

  std::vector<nlohmann::json> records(const std::string& file) const {
    std::vector<nlohmann::json> result;
    const std::string text = read_whole(path(file));
    EXPECT_TRUE(text.empty() || text.back() == '\n') << file << " ends with a torn line";
    for (const std::string_view line : split_lines(text)) result.push_back(nlohmann::json::parse(line));
    return result;
  }

  std::vector<std::string> paths(const std::string& file) const {
    std::vector<std::string> result;
    for (const nlohmann::json& record : records(file)) result.push_back(record["path"]);
    return result;
  }

  std::size_t line_count(const std::string& file) const {
    const std::string text = read_whole(path(file));
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
};

/// A member of a tar archive, with its header and padding; `size` in the header, where it is not to be the content's.
inline std::string tar_member(const std::string& name, const std::string& content, long size = -1) {
  std::string header(512, '\0');
  const auto put = [&header](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  const auto octal = [](long value, int digits) {
    std::string text(32, '\0');
    text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%0*lo", digits, value)));
    return text;
  };
  put(0, name);
  put(100, octal(0644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size < 0 ? static_cast<long>(content.size()) : size, 11));
  put(136, octal(0, 11));
  put(148, std::string(8, ' '));
  put(156, "0");
  put(257, std::string("ustar\0", 6) + "00");
  long sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6));
  header[154] = '\0';
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace glimpse::testing
