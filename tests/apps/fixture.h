/// A scratch folder with a tiny model and pictures in it, and glimpse run there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "core/text.h"
#include "process.h"
#include "support/paths.h"
#include "support/tiny_model.h"

namespace glimpse::testing {

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  if (!stream.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline std::string read_whole(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// A PNM picture of coloured stripes, different for each seed.
inline std::string stripes(int width, int height, int seed = 0) {
  std::string bytes = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      bytes += static_cast<char>(((x / 3 + seed) * 53) % 256);
      bytes += static_cast<char>((y * 7 + seed * 31) % 256);
      bytes += static_cast<char>(((x + y) * 3 + seed * 17) % 256);
    }
  }
  return bytes;
}

class AppTest : public ::testing::Test {
 protected:
  AppTest() { write_bundle(tiny_model(), path("tiny.safetensors")); }

  std::filesystem::path path(const std::string& name) const { return scratch_.path() / name; }

  void add_picture(const std::string& name, int seed = 0) const { write_file(path(name), stripes(48, 32, seed)); }

  /// Options of every run: in the scratch folder, no colours, nothing from the user's environment.
  ProcessOptions options(std::vector<std::string> arguments) const {
    ProcessOptions result;
    result.arguments = std::move(arguments);
    result.folder = scratch_.path();
    result.environment = {{"GLIMPSE_MODEL", path("tiny.safetensors").string()},
                          {"GLIMPSE_CACHE", path("cache").string()},
                          {"NO_COLOR", "1"},
                          {"OMP_WAIT_POLICY", "passive"}};  // tests that run side by side do not spin
    return result;
  }

  ProcessResult glimpse(std::vector<std::string> arguments) const { return run_glimpse(options(std::move(arguments))); }

  ProcessResult glimpse_with_input(std::vector<std::string> arguments, const std::string& input) const {
    ProcessOptions all = options(std::move(arguments));
    all.input = input;
    return run_glimpse(all);
  }

 private:
  ScratchFolder scratch_;
};

/// The first column of each line.
inline std::vector<std::string> first_columns(const std::string& output) {
  std::vector<std::string> columns;
  for (const std::string_view line : split_lines(output)) columns.emplace_back(line.substr(0, line.find('\t')));
  return columns;
}

}  // namespace glimpse::testing
