/// Reports of made-up pictures, and readers of their files.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "report/report.h"
#include "support/paths.h"

namespace glimpse::testing {

inline constexpr int kReportRows = 4;
inline constexpr int kReportCols = 6;

inline ReportOptions report_options() { return {"Holiday", "glimpse-test", kReportRows, kReportCols}; }

inline std::string text_of(const std::filesystem::path& path) { return read_file(path, std::size_t{1} << 26); }

/// Every file below `folder`, by its path there.
inline std::map<std::string, std::string> files_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder)] = text_of(entry.path());
  }
  return files;
}

/// The JSON between the first `before` and the last `after`.
inline nlohmann::json json_in(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t begin = text.find(before) + before.size();
  return nlohmann::json::parse(text.substr(begin, text.rfind(after) - begin));
}

inline std::vector<nlohmann::json> entries_of(const std::filesystem::path& folder) {
  const std::string text = text_of(folder / "glimpse/entries.js");
  std::vector<nlohmann::json> entries;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin) + 1;
    entries.push_back(json_in(text.substr(begin, end - begin), "glimpse.add(", ");\n"));
    begin = end;
  }
  return entries;
}

inline nlohmann::json details_of(const std::filesystem::path& folder, const std::string& stem) {
  return json_in(text_of(folder / "glimpse/pictures" / (stem + ".js")), ",", ");\n");
}

/// The message of the error that `action` ends in, which has this code.
inline std::string error_of(const std::function<void()>& action, ErrorCode code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

inline Image plain_picture(int width, int height, int shade) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) std::fill_n(image.row(y), 3 * width, static_cast<std::uint8_t>(shade));
  return image;
}

inline Caption made_up_caption(const std::string& first) {
  std::vector<float> alpha(std::size_t{kReportRows} * kReportCols);
  for (std::size_t i = 0; i < alpha.size(); ++i) alpha[i] = static_cast<float>(i + 1) / 300;
  Caption caption{first + " runs", -1.5, -0.5, {}};
  caption.glimpses = {{first, -0.5, 0.25, alpha, {}}, {"runs", -1.0, 0.75, alpha, {}}};
  return caption;
}

inline ViewTransform whole_view(const Image& picture) {
  return view_transform(Preprocess{}, picture.source_width, picture.source_height);
}

inline ReportEntry made_up_entry(const Report& report, const std::string& path, int shade = 100) {
  const Image picture = plain_picture(80, 60, shade);
  const Caption captions[] = {made_up_caption("dog"), made_up_caption("cat")};
  return report.success(path, picture, whole_view(picture), captions);
}

}  // namespace glimpse::testing
