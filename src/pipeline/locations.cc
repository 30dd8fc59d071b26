#include "pipeline/locations.h"

#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace glimpse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultModel = "glimpse-base.safetensors";

/// An environment variable's value; nothing where it is not set.
std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// Where a file of the repository's models/ may stand, in the order of looking.
std::vector<fs::path> candidates(const fs::path& name) {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  std::vector<fs::path> found = {folder / name, folder / "models" / name,
                                 (folder / GLIMPSE_MODELS_FROM_BIN / name).lexically_normal()};
  const fs::path installed = fs::path(GLIMPSE_INSTALLED_MODELS) / name;
  if (installed != found.back()) found.push_back(installed);
  return found;
}

}  // namespace

fs::path shipped_file(const fs::path& name, const std::string& what, const std::string& remedy) {
  std::string looked;
  std::error_code error;
  for (const fs::path& candidate : candidates(name)) {
    if (fs::exists(candidate, error)) return candidate;
    looked += (looked.empty() ? "" : ", ") + quote(candidate.native());
  }
  throw Error(ErrorCode::kModel, "there is no " + what + "; looked for " + looked + "; " + remedy);
}

Model load_model(const std::optional<std::string>& given) {
  const std::optional<std::string> from_environment = given ? std::nullopt : environment("GLIMPSE_MODEL");
  const bool use_environment = from_environment && !from_environment->empty();
  const fs::path path = given             ? fs::path(*given)
                        : use_environment ? fs::path(*from_environment)
                                          : shipped_file(kDefaultModel, "default model",
                                                         "give one with --model FILE or in GLIMPSE_MODEL");
  try {
    return Model::load(path);
  } catch (const Error& error) {
    throw Error(ErrorCode::kModel, error.what() + std::string(use_environment ? " (GLIMPSE_MODEL)" : ""));
  }
}

fs::path tuning_cache() {
  fs::path folder;
  if (const std::optional<std::string> own = environment("GLIMPSE_CACHE")) {
    folder = *own;
  } else if (const std::optional<std::string> xdg = environment("XDG_CACHE_HOME"); xdg && !xdg->empty()) {
    folder = fs::path(*xdg) / "glimpse";
  } else if (const std::optional<std::string> home = environment("HOME"); home && !home->empty()) {
    folder = fs::path(*home) / ".cache" / "glimpse";
  }
  if (folder.empty()) return {};
  std::error_code ignored;  // without a cache, kernels are measured again
  fs::create_directories(folder, ignored);
  return folder / "convolutions.txt";
}

}  // namespace glimpse
