/// Reads and augments pictures a few batches ahead, on its own threads. The batches depend only on the list of files,
/// the options and the epoch, not on threads or the starting batch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/error.h"
#include "image/augment.h"

namespace glimpse::train {

struct LoaderOptions {
  int batch = 32;
  Preprocess input;  ///< whose size and resizing the pictures get; they are not normalised
  AugmentOptions augment;
  bool shuffle = true;         ///< each epoch in an order of its own; else always as listed
  bool whole_batches = false;  ///< leave out an epoch's last batch where there are too few pictures for it
  std::uint64_t seed = 1;
  int views = 0;    ///< that a picture has: augmentations, in turn from epoch to epoch; 0: a new one in each epoch
  int threads = 1;  ///< that read; beside the one that calls
  int ahead = 2;    ///< batches that are read before they are asked for
};

struct LoadedPicture {
  std::size_t index = 0;      ///< in the list of files
  Augmentation augmentation;  ///< of the picture as it was loaded: large JPEGs are scaled down while they are decoded
};

struct Batch {
  int epoch = 0;                         ///< from 0 on
  std::int64_t number = 0;               ///< of the epoch's batches, from 0 on
  std::vector<LoadedPicture> pictures;   ///< at least one; fewer than asked for at an epoch's end, and where some are
                                         ///< damaged
  std::span<const std::uint8_t> pixels;  ///< [pictures, height, width, 3], RGB
};

struct DamagedPicture {
  std::size_t index = 0;
  Error error;
};

class Loader {
 public:
  /// Begins to read at batch `batch` of epoch `epoch`. Throws Error: kMissing with how many files do not exist and the
  /// first of them; kUsage for an empty list, options out of range and a batch that no epoch has.
  Loader(std::vector<std::filesystem::path> files, const LoaderOptions& options, int epoch = 0, std::int64_t batch = 0);
  /// Waits for the pictures being read, not for queued ones.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t batches_per_epoch() const;

  /// The next batch, of the next epoch after an epoch's last; it stands until the next call. Pictures that cannot be
  /// read are left out, and batches of nothing else are skipped. Throws Error(kDecode) where a whole epoch's worth of
  /// pictures cannot be read.
  const Batch& next();

  /// Those of the batches given out so far, each once, in the order in which they were met.
  const std::vector<DamagedPicture>& damaged() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse::train
