/// A frozen encoder's features of pictures and of their mirror images, computed once and kept in F16 on disk.
/// Recomputing them would take more than half of a decoder's training time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "model/model.h"
#include "net/graph.h"
#include "data/loader.h"
#include "train/run/observer.h"
#include "autograd/parameters.h"

namespace glimpse::train {

struct FeatureCacheOptions {
  std::filesystem::path folder;
  net::GraphSpec graph;  ///< its output is the map
  std::string graph_text;
  Preprocess input;
  bool mirrored = true;  ///< mirror images too
  int threads = 1;
};

/// In pixels.
struct PictureSize {
  std::int32_t width = 0;
  std::int32_t height = 0;
};

/// Const once made; the file is mapped while this lives.
class FeatureCache {
 public:
  /// Opens the cache of an earlier run with the same encoder and files in `folder`, or builds it; `observer` is told
  /// and may interrupt. Throws Error: kIo where the disk is full, kInterrupted, kDecode where no file can be read, and
  /// as the Loader does.
  FeatureCache(const FeatureCacheOptions& options, const ParameterSet& encoder,
               const std::vector<std::filesystem::path>& files, Observer& observer);

  std::int64_t cells() const { return cells_; }                           ///< L
  std::int64_t channels() const { return channels_; }                     ///< D
  bool readable(std::size_t file) const { return size(file).width > 0; }  ///< whether its features are cached
  PictureSize size(std::size_t file) const;                               ///< of the picture as it was loaded
  /// dst [L, D].
  void read(std::size_t file, bool mirrored, float* dst) const;

 private:
  void make(const FeatureCacheOptions& options, const Weights& encoder, const std::vector<std::filesystem::path>& files,
            Observer& observer, const std::filesystem::path& path) const;
  std::size_t map_bytes() const { return static_cast<std::size_t>(cells_ * channels_) * sizeof(std::uint16_t); }

  std::size_t files_ = 0;
  std::size_t views_ = 1;  ///< of each file: 2 with mirror images
  std::int64_t cells_ = 0;
  std::int64_t channels_ = 0;
  /// [files, views, L, D] F16, then the sizes of the files' pictures: 0 × 0 where one could not be read.
  std::optional<MappedFile> file_;
};

}  // namespace glimpse::train
