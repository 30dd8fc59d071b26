#include "train/stages/feature_cache.h"

#include <algorithm>
#include <cstring>
#include <ostream>
#include <span>

#include "core/error.h"
#include "core/hash.h"
#include "net/compile.h"
#include "net/shapes.h"
#include "net/tensors.h"

namespace glimpse::train {
namespace {

namespace fs = std::filesystem;

constexpr int kBatch = 16;

/// What the maps depend on.
std::string key_of(const FeatureCacheOptions& options, const Weights& encoder, const std::vector<fs::path>& files) {
  Hash hash;
  hash.add(options.graph_text);
  hash.add(std::to_string(options.graph.output) + (options.mirrored ? " mirrored" : ""));
  hash.add("resize " + std::to_string(static_cast<int>(options.input.resize)) + " ");
  for (const double value : options.input.mean) hash.add(std::to_string(value) + " ");
  for (const double value : options.input.std) hash.add(std::to_string(value) + " ");
  for (const auto& [name, view] : encoder.tensors()) {
    hash.add(name);
    hash.add({view.data, view.bytes()});
  }
  for (const fs::path& file : files) hash.add(file.native() + "\n");
  return hash.text();
}

/// The tensors that the graph reads, without those of a decoder in the same set.
Weights weights_of(const FeatureCacheOptions& options, const ParameterSet& encoder) {
  const auto views = encoder.views();
  std::map<std::string, Tensor, std::less<>> tensors;
  for (const net::TensorSpec& spec :
       net::required_tensors(options.graph, {1, 3, options.input.height, options.input.width})) {
    tensors.emplace(spec.name, to_float(views.at(spec.name)));
  }
  return {"the encoder under training", std::move(tensors)};
}

/// Mirrors each row of pixels.
std::vector<std::uint8_t> mirrored(std::span<const std::uint8_t> pixels, int width) {
  std::vector<std::uint8_t> result(pixels.size());
  const std::size_t row_bytes = static_cast<std::size_t>(width) * 3;
  for (std::size_t row = 0; row < pixels.size(); row += row_bytes) {
    for (std::size_t x = 0; x < row_bytes; x += 3) {
      std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(row + x), 3,
                  result.begin() + static_cast<std::ptrdiff_t>(row + row_bytes - 3 - x));
    }
  }
  return result;
}

/// The inference engine's encoder for batches of pictures.
class Encoder {
 public:
  Encoder(const FeatureCacheOptions& options, const Weights& weights)
      : input_(options.input), session_(net::compile(options.graph, weights, compile_options(options))) {}

  /// [pictures, views, L, D]
  std::vector<std::uint16_t> maps(const Batch& batch, std::size_t views) {
    const std::size_t bytes = batch.pixels.size() / batch.pictures.size();
    const std::size_t map = session_.output().size() / kBatch;
    std::vector<std::uint16_t> result(batch.pictures.size() * views * map);
    for (std::size_t view = 0; view < views; ++view) {
      for (std::size_t i = 0; i < batch.pictures.size(); ++i) {
        const auto pixels = batch.pixels.subspan(i * bytes, bytes);
        const auto input = session_.input().subspan(i * bytes, bytes);
        if (view == 0) {
          normalise(pixels, input_, input);
        } else {
          normalise(mirrored(pixels, input_.width), input_, input);
        }
      }
      session_.run();
      for (std::size_t i = 0; i < batch.pictures.size(); ++i) {
        std::ranges::transform(session_.output().subspan(i * map, map),
                               result.begin() + static_cast<std::ptrdiff_t>((i * views + view) * map), float_to_f16);
      }
    }
    return result;
  }

 private:
  static net::CompileOptions compile_options(const FeatureCacheOptions& options) {
    net::CompileOptions compile;
    compile.batch = kBatch;
    compile.width = options.input.width;
    compile.height = options.input.height;
    compile.channels_last = true;
    compile.plan.threads = options.threads;
    compile.plan.tuning = dnn::Tuning::kDirect;  // the same features on every run: no kernels chosen by measurement
    return compile;
  }

  Preprocess input_;
  dnn::Session session_;
};

}  // namespace

FeatureCache::FeatureCache(const FeatureCacheOptions& options, const ParameterSet& encoder,
                           const std::vector<fs::path>& files, Observer& observer)
    : files_(files.size()), views_(options.mirrored ? 2 : 1) {
  const Shape map = net::infer_shapes(
      options.graph, {1, 3, options.input.height, options.input.width})[static_cast<std::size_t>(options.graph.output)];
  cells_ = map[2] * map[3];
  channels_ = map[1];
  const Weights weights = weights_of(options, encoder);
  const fs::path path = options.folder / ("features-" + key_of(options, weights, files) + ".f16");
  const std::size_t bytes = files_ * (views_ * map_bytes() + sizeof(PictureSize));
  std::error_code error;
  if (fs::file_size(path, error) != bytes || error) {
    fs::create_directories(options.folder);
    make(options, weights, files, observer, path);
  }
  file_.emplace(path);
  for (std::size_t file = 0; file < files_; ++file) {
    if (readable(file)) return;
  }
  throw Error(ErrorCode::kDecode, "none of the " + std::to_string(files_) + " pictures can be read");
}

void FeatureCache::make(const FeatureCacheOptions& options, const Weights& encoder, const std::vector<fs::path>& files,
                        Observer& observer, const fs::path& path) const {
  observer.note("computing the encoder's maps of " + std::to_string(files_) + " pictures into " + quote(path.native()));
  Encoder network(options, encoder);
  LoaderOptions loading;
  loading.batch = kBatch;
  loading.input = options.input;
  loading.shuffle = false;
  Loader loader(files, loading);
  std::vector<PictureSize> sizes(files_);
  const std::vector<char> nothing(views_ * map_bytes(), 0);
  write_atomically(path, [&](std::ostream& out) {
    std::size_t written = 0;
    for (std::int64_t i = 0; i < loader.batches_per_epoch(); ++i) {
      const Batch& batch = loader.next();
      if (batch.epoch > 0) break;  // the last batches of the list were all damaged
      if (observer.interrupted()) throw Error(ErrorCode::kInterrupted, "interrupted while computing maps");
      const std::vector<std::uint16_t> maps = network.maps(batch, views_);
      for (std::size_t k = 0; k < batch.pictures.size(); ++k) {
        for (; written < batch.pictures[k].index; ++written) out.write(nothing.data(), std::ssize(nothing));
        out.write(reinterpret_cast<const char*>(maps.data()) + k * nothing.size(), std::ssize(nothing));
        sizes[written++] = {batch.pictures[k].augmentation.width, batch.pictures[k].augmentation.height};
      }
    }
    for (; written < files_; ++written) out.write(nothing.data(), std::ssize(nothing));
    out.write(reinterpret_cast<const char*>(sizes.data()), static_cast<std::streamsize>(files_ * sizeof(PictureSize)));
  });
  for (const DamagedPicture& damaged : loader.damaged()) observer.note(damaged.error.what());
}

PictureSize FeatureCache::size(std::size_t file) const {
  PictureSize size;
  const std::span<const std::byte> sizes = file_->bytes().last(files_ * sizeof(PictureSize));
  std::memcpy(&size, sizes.data() + file * sizeof(PictureSize), sizeof(PictureSize));
  return size;
}

void FeatureCache::read(std::size_t file, bool mirrored, float* dst) const {
  const std::size_t at = (file * views_ + (mirrored ? 1 : 0)) * map_bytes();
  const Tensor map = to_float({file_->bytes().data() + at, DType::kF16, {cells_, channels_}});
  std::ranges::copy(map.values(), dst);
}

}  // namespace glimpse::train
